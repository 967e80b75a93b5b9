import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FiringView, OutcomeView } from '../../src/api/contract/firings.ts';
import { call, postFiring, postJob } from '../support/api.ts';
import { createNode, root, type TestNode } from '../support/node.ts';
import { type EtcdPlace, test } from '../support/test.ts';
import { until } from '../support/wait.ts';

/** Each would do something if anybody but the receiving program read it. */
const payloads = (canary: string): readonly string[] => [
  `; touch ${canary}`,
  `$(touch ${canary})`,
  `\`touch ${canary}\``,
  `\n touch ${canary}\n`,
  `| touch ${canary} #`,
  `' ; touch ${canary} '`,
  `"; touch ${canary}; "`,
  `--help`,
  `-rf`,
  `--`,
  `%n%s%x %(name)s {0} \${PATH}`,
  `\u001b[31mred\r`,
];

/** Variables by which a parent's environment takes over a shell, Node, Ruby, Perl, Python or every program. */
const takeovers = (canary: string): Record<string, string> => ({
  BASH_ENV: `${canary}.sh`,
  ENV: `${canary}.sh`,
  RUBYOPT: '-W0',
  RUBYLIB: '/tmp/nowhere',
  PERL5OPT: '-w',
  PYTHONSTARTUP: `${canary}.py`,
  GIT_SSH_COMMAND: `touch ${canary}`,
  IFS: 'x',
});

describe('G6: words that are more than words to somebody', () => {
  let etcd: EtcdPlace;
  let node: TestNode;
  let canary: string;

  test.beforeAll(async ({ etcd: place }) => {
    etcd = place;
    const folder = join('/tmp', `triggerd-hostile-${process.pid}`);
    canary = join(folder, 'canary');
    const plugins = join(folder, 'plugins');
    mkdirSync(join(plugins, 'tell'), { recursive: true, mode: 0o755 });
    cpSync(join(root, 'plugins'), plugins, { recursive: true });
    writeFileSync(join(plugins, 'tell/plugin.toml'), 'summary = "x"\n[args.word]\nsummary = "w"\n');
    writeFileSync(join(plugins, 'tell/tell'), '#!/bin/bash\nprintf %s "$TRIGGER_ARG_WORD"\n', { mode: 0o755 });
    writeFileSync(`${canary}.sh`, `touch ${canary}\n`);
    node = createNode({
      name: 'hostile',
      etcd,
      plugins,
      watch: `run_cmd = "echo $(touch ${canary}) ; touch '${canary} 2'"\nallow = ["tell", "puppet"]`,
      env: { ...takeovers(canary), NODE_OPTIONS: '--no-deprecation', PATH: `/tmp/evil:${process.env['PATH']}` },
    });
    await node.start();
  });
  afterAll(async () => {
    await node?.remove();
    execFileSync('rm', ['-rf', join(canary, '..')]);
  });

  const outputOf = async (id: number): Promise<string> => {
    expect((await node.trigger('queue', 'wait', String(id))).exitCode).toBe(0);
    return readFileSync((await node.job(id)).output ?? '', 'utf8');
  };

  it('an argument of a firing reaches the plugin unchanged, and no other program', async () => {
    for (const word of payloads(canary)) {
      const { id } = await postFiring(node.socket, {
        trigger: word.trim().replace(/\p{Cc}/gu, '·'),
        hosts: ['hostile'],
        plugin: 'tell',
        args: { word },
      });
      const outcome = await until(async () => {
        const { outcomes } = await call<FiringView>(node.socket, 'GET', `/v1/firings/${id}`);
        const found: OutcomeView | undefined = outcomes['hostile'];
        return found?.stage === 'finished' ? found : undefined;
      }, 'the run');
      expect(outcome).toMatchObject({ result: 'succeeded', output_tail: word });
    }
    expect(existsSync(canary)).toBe(false);
  });

  it('a firing names neither a variable nor a plugin of its own', async () => {
    for (const name of ['LD_PRELOAD', 'PATH', 'word; id', '../word']) {
      const asked = { trigger: 't', hosts: ['hostile'], plugin: 'tell', args: { [name]: 'x' } };
      const refusal = await postFiring(node.socket, asked).then(
        ({ id }) =>
          until(async () => {
            const { outcomes } = await call<FiringView>(node.socket, 'GET', `/v1/firings/${id}`);
            return outcomes['hostile']?.stage === 'skipped' ? outcomes['hostile'].reason : undefined;
          }, `the refusal of ${name}`),
        String,
      );
      expect(refusal).toMatch(/takes no argument|input-invalid/);
    }
  });

  it('Puppet’s arguments cannot become options', async () => {
    for (const tags of ['--confdir=/tmp', 'a --noop', '$(id)', 'a;b', '-x y'])
      await expect(
        postJob(node.socket, { plugin: 'puppet', argv: ['puppet', 'agent'], args: { tags } }).then(
          ({ command }) => command,
        ),
      ).rejects.toThrow(/must match/);
  });

  it('a job’s words are passed on unchanged, and add nothing to the daemon’s environment', async () => {
    const words = payloads(canary);
    const script = 'printf "%s\\0" "$@"; env -0';
    const { id } = await postJob(node.socket, { argv: ['bash', '-c', script, 'bash', ...words] });
    const told = (await outputOf(id)).split('\0');
    expect(told.slice(0, words.length)).toEqual(words);
    const names = told.slice(words.length).map((line) => line.split('=')[0] ?? '');
    expect(names.filter((name) => name === 'NODE_OPTIONS' || name in takeovers(''))).toEqual([]);
    expect(told.find((line) => line.startsWith('PATH='))).not.toContain('/tmp/evil');
    expect(existsSync(canary)).toBe(false);
  });

  it('run_cmd is a list of words, not a shell command', async () => {
    const { id } = await postJob(node.socket, { plugin: 'puppet' });
    expect(await outputOf(id)).toBe(`$(touch ${canary}) ; touch ${canary} 2\n`);
    expect(existsSync(canary)).toBe(false);
  });

  it('a label and a folder are data as well', async () => {
    const label = `$(touch ${canary}) --json`;
    const { stdout } = await node.trigger('queue', 'add', '--label', label, '--', 'pwd');
    await node.trigger('queue', 'wait', stdout.trim());
    expect(await node.job(stdout.trim())).toMatchObject({ label, result: 'succeeded' });
    expect(existsSync(canary)).toBe(false);
  });
});

describe('G8: a local user without rights', () => {
  let node: TestNode;
  const stranger = ['setpriv', '--reuid=64998', '--regid=64998', '--clear-groups'];
  const asStranger = async (...argv: string[]) => {
    const [program = '', ...args] = [...stranger, ...argv];
    const { exitCode, stderr, stdout } = await execa(program, args, {
      reject: false,
      stdin: 'ignore',
      env: { NO_COLOR: '1' },
    });
    return { exitCode, said: stderr + stdout };
  };
  beforeAll(async () => {
    node = createNode({ name: 'guarded', etcd: ['http://127.0.0.1:1'] });
    // Only the state folder and the socket are to keep him out.
    chmodSync(node.dir, 0o755);
    await node.start();
  });
  afterAll(() => node?.remove());

  it('a local user without rights cannot open the control socket, and is told who may', async () => {
    const trigger = (...args: string[]) => asStranger(join(root, 'bin/trigger'), '--socket', node.socket, ...args);
    for (const args of [
      ['queue'],
      ['queue', 'add', '--', 'true'],
      ['fire', 'x', '--host', 'guarded'],
      ['queue', 'kill', '1'],
    ]) {
      const { exitCode, said } = await trigger(...args);
      expect(exitCode).toBe(3);
      expect(said).toMatch(/only root and the socket’s group may use it/);
    }
    expect(await node.jobs()).toEqual([]);
  });

  it('a local user without rights can neither read nor write the journal, the spool and the jobs’ files', async () => {
    const { id } = await postJob(node.socket, { argv: ['echo', 'secret'] });
    await node.trigger('queue', 'wait', String(id));
    const state = join(node.dir, 'state');
    for (const file of ['journal.db', 'spool', `jobs/${id}/output`, 'jobs']) {
      expect((await asStranger('cat', join(state, file))).said).toMatch(/Permission denied/);
      expect((await asStranger('touch', join(state, file, 'x'))).said).toMatch(/Permission denied/);
    }
    expect(
      (await asStranger('cp', '/etc/hostname', join(state, 'spool/01K9ZQ4T5M8W3V6X7Y8Z9A0BCD.json'))).exitCode,
    ).toBe(1);
  });

  it('a local user without rights finds no pid file, lock or folder of a known name in /tmp to plant', async () => {
    const { stdout } = await execa('find', [`/proc/${node.pid()}/fd`, '-lname', '/tmp/*', '-printf', '%l\\n'], {
      reject: false,
    });
    const foreign = stdout
      .split('\n')
      .filter((path) => path !== '' && !path.startsWith(node.dir) && !path.startsWith(root));
    expect(foreign).toEqual([]);
  });
});
