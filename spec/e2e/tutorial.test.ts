import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freePort } from '../support/etcd.ts';
import { root } from '../support/node.ts';
import { openShell, patternOf, type Shell, type Step, squeezed, stepsOf } from '../support/page.ts';
import { until } from '../support/wait.ts';

/** docs/tutorial.md, typed by a reader whose home is empty. Only etcd's port is another one: tests run side by side. */
const pagePort = '23790';
let home: string;
let port: string;
let shell: Shell;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'triggerd-reader-'));
  port = String(await freePort());
  const { PATH } = process.env;
  shell = openShell(home, { PATH, HOME: home, LANG: 'C.UTF-8', COLUMNS: '100' });
  await shell.type(`cd ${root}`);
});
afterAll(async () => {
  await shell?.close();
  rmSync(home, { recursive: true, force: true });
});

/** What he sees. */
const type = async (step: Step): Promise<string> =>
  squeezed(await shell.type(step.commands.replaceAll(pagePort, port))).replaceAll(port, pagePort);

it.each(stepsOf('docs/tutorial.md').map((step) => [`${step.heading}: ${step.commands.split('\n')[0]}`, step] as const))(
  '%s',
  async (_, step) => {
    let seen = await type(step);
    const pattern = patternOf(step.output ?? '');
    const isShown = () => pattern.test(seen);
    if (step.again && !isShown())
      await until(
        async () => {
          seen = await type(step);
          return isShown();
        },
        `${step.commands} to show ${step.output}`,
        60_000,
      );
    expect(seen).toMatch(pattern);
  },
  120_000,
);
