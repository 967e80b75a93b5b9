import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { debianSourceFile } from '../support/debian-source.ts';
import { startEtcd, type TestEtcd } from '../support/etcd.ts';
import { createNode, root, type TestNode } from '../support/node.ts';

/**
 * task-spooler's own test, as it is in Debian's source package: downloaded, because its licence (GPL-2) is not ours. It is
 * timed by `sleep 1`: "urgency 2" fails, with tsp as well, where three calls take longer than a second. Each `sleep` of it
 * therefore waits until the script waits (`-w`) or ends the queue (`-K`). It is not run with tsp itself: a server that `-K`
 * ends may still take the next call, and the script then fails.
 */
const testbench = {
  package: 'task-spooler',
  version: '1.0.1+dfsg1-1',
  tarball: 'task-spooler_1.0.1+dfsg1.orig.tar.xz',
  sha256: 'a21a913002b6bedcca61c7635b82b7922dd6fe7125b86a30fb3c8e6ae1b003cc',
  file: 'ts-1.0.1/testbench.sh',
};
let script: string;
let etcd: TestEtcd;
let node: TestNode;

beforeAll(async () => {
  script = await debianSourceFile(testbench);
  etcd = await startEtcd();
  node = createNode({ name: 'testbench', etcd: [etcd.endpoint] });
  await node.start();
});
afterAll(async () => {
  await node?.remove();
  await etcd?.stop();
});

/** Runs the script where `./ts` and `ts` are this program. */
const run = async (ts: string) => {
  const dir = mkdtempSync(join(tmpdir(), 'triggerd-testbench-'));
  const program = (path: string, text: string): void => {
    writeFileSync(join(dir, path), `#!/bin/sh\n${text}\n`);
    chmodSync(join(dir, path), 0o755);
  };
  try {
    mkdirSync(join(dir, 'bin'));
    const gate = join(dir, 'gate');
    const opening = `case "$1" in -w | -K) : > ${gate} ;; sleep) rm -f ${gate} ;; esac`;
    for (const name of ['ts', 'bin/ts']) program(name, `${opening}\nexec ${ts} "$@"`);
    program('bin/sleep', `until [ -e ${gate} ] || [ ! -d ${dir} ]; do /bin/sleep 0.1; done`);
    writeFileSync(join(dir, 'testbench.sh'), script);
    const env = { PATH: `${join(dir, 'bin')}:${process.env['PATH']}`, TMPDIR: dir };
    const { all, exitCode } = await execa('bash', ['testbench.sh'], { cwd: dir, env, all: true, reject: false });
    // "Error twice jobs" does not change its exit code. What tsp refuses on the way begins with "Error in the request".
    return { exitCode, errors: all.split('\n').filter((line) => /^Error (?!in the request)/.test(line)) };
  } finally {
    rmSync(dir, { recursive: true });
  }
};

it('task-spooler’s testbench.sh passes unchanged with trigger tsp', async () => {
  expect(await run(`${join(root, 'bin/trigger')} --config ${node.configFile} tsp`)).toEqual({
    exitCode: 0,
    errors: [],
  });
}, 600_000);

it('task-spooler’s testbench.sh fails with a ts that does not do its work', async () => {
  expect(await run('/bin/true')).toMatchObject({ exitCode: 1 });
});
