import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../support/etcd.ts';
import { root } from '../support/node.ts';
import { openShell, patiently, patternOf, type Shell, type Step, squeezed, stepsOf } from '../support/page.ts';
import { until } from '../support/wait.ts';

/** The tutorials, typed by a reader whose home is empty. Only the ports are other ones: tests run side by side. */
describe.each([
  { pages: ['triggers', 'why-and-wait'], pagePorts: ['23790'] },
  { pages: ['services', 'trigger-files'], pagePorts: ['23791', '5555'] },
])('docs/tutorials: $pages', ({ pages, pagePorts }) => {
  let home: string;
  let ports: readonly (readonly [onPage: string, here: string])[];
  let shell: Shell;

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'triggerd-reader-'));
    ports = await Promise.all(pagePorts.map(async (onPage) => [onPage, String(await freePort())] as const));
    const { PATH } = process.env;
    shell = openShell(home, { PATH, HOME: home, LANG: 'C.UTF-8', COLUMNS: '100' });
    await shell.type(`cd ${root}`);
  });
  afterAll(async () => {
    await shell?.close();
    rmSync(home, { recursive: true, force: true });
  });

  /** What he sees. */
  const type = async (step: Step): Promise<string> => {
    const commands = ports.reduce((text, [onPage, here]) => text.replaceAll(onPage, here), patiently(step.commands));
    return ports.reduce((text, [onPage, here]) => text.replaceAll(here, onPage), squeezed(await shell.type(commands)));
  };

  /** The pages one after the other, in one shell; he tidies up at the end of the last one. */
  const steps = pages.flatMap((page, index) =>
    stepsOf(`docs/tutorials/${page}.md`).filter(
      ({ heading }) => index === pages.length - 1 || !heading.endsWith('Tidy up'),
    ),
  );

  it.each(steps.map((step) => [`${step.heading}: ${step.commands.split('\n')[0]}`, step] as const))(
    'the tutorial’s step works as printed: %s',
    async (_, step) => {
      let seen = await type(step);
      const pattern = patternOf(step.output ?? '');
      const isShown = () => pattern.test(seen);
      if (step.again && !isShown())
        await until(async () => {
          seen = await type(step);
          return isShown();
        }, `${step.commands} to show ${step.output}`);
      expect(seen).toMatch(pattern);
    },
  );
});
