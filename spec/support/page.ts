import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { root } from './node.ts';
import { until } from './wait.ts';

/** What a page tells its reader to type, and what it says he will see. */
export interface Step {
  /** The heading that it stands under. */
  readonly heading: string;
  readonly commands: string;
  /** `sh again`: he looks until he sees it. */
  readonly again: boolean;
  /** Undefined where the page shows no output. */
  readonly output: string | undefined;
}

/** The `sh` blocks of a page, each with the `text` block that follows it. `sh not-tested` is left out. */
export const stepsOf = (page: string): Step[] => {
  const steps: Step[] = [];
  let heading = '';
  const blocks = /^#+ (?<heading>.+)$|^(?<indent> *)```(?<info>[\w -]*)\n(?<block>[\s\S]*?)^ *```$/gm;
  for (const { groups } of readFileSync(join(root, page), 'utf8').matchAll(blocks)) {
    const { info, indent = '', block = '' } = groups ?? {};
    const text = block.replace(new RegExp(`^${indent}`, 'gm'), '');
    const last = steps.at(-1);
    if (groups?.['heading'] !== undefined) heading = groups['heading'];
    else if (info === 'sh' || info === 'sh again')
      steps.push({ heading, commands: text, again: info === 'sh again', output: undefined });
    else if (info === 'text' && last !== undefined && last.output === undefined)
      steps[steps.length - 1] = { ...last, output: text };
  }
  return steps;
};

const variable: readonly [shown: RegExp, matches: string][] = [
  [/01[0-9A-HJKMNP-TV-Z]{24}/, '01[0-9A-HJKMNP-TV-Z]{24}'],
  [/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/, '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'],
  [/\{sha256\}[0-9a-f]+/, '\\{sha256\\}[0-9a-f]+'],
  [/\d{4}-\d\d-\d\d/, '\\d{4}-\\d\\d-\\d\\d'],
  [/\d\d:\d\d:\d\d/, '\\d\\d:\\d\\d:\\d\\d'],
  [/[\d.]+\/[\d.]+\/[\d.]+/, '[\\d.]+/[\\d.]+/[\\d.]+'],
  [/[\d.]+ ?(?:ms|s|m|seconds|MiB)\b/, '[\\d.]+ ?(?:ms|s|m \\d+ s|m|seconds|MiB)'],
  [/-\w{6}(?=\/)/, '-\\w{6}'],
  [/ … /, ' (?:.*? )?'],
  [/…/, '.*?'],
];
const anyVariable = new RegExp(variable.map(([shown]) => `(${shown.source})`).join('|'));

/** Ids, times, hashes and what stands for `…` may be others; spaces and line breaks do not count. */
export const patternOf = (output: string): RegExp => {
  let rest = squeezed(output);
  let pattern = '';
  for (let found = anyVariable.exec(rest); found !== null; found = anyVariable.exec(rest)) {
    pattern += escaped(rest.slice(0, found.index));
    pattern += variable[found.slice(1).findIndex((group) => group !== undefined)]?.[1];
    rest = rest.slice(found.index + found[0].length);
  }
  return new RegExp(`^${pattern}${escaped(rest)}$`);
};

/** Time for a machine that is busier than the reader's. */
export const patiently = (commands: string): string => commands.replaceAll('-timeout 10s', '-timeout 2m');

export const squeezed = (text: string): string => text.trim().replace(/\s+/g, ' ');

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

export interface Shell {
  /** Runs the commands as they stand, in the same shell as those before. Gives what the reader would see, without colours. */
  type(commands: string): Promise<string>;
  close(): Promise<void>;
}

/** A reader's bash. `folder` keeps what he has typed. */
export const openShell = (folder: string, env: Readonly<Record<string, string | undefined>>): Shell => {
  const bash = spawn('bash', ['--norc'], { cwd: folder, env, detached: true, stdio: ['pipe', 'pipe', 'inherit'] });
  let seen = '';
  let typed = 0;
  bash.stdout.setEncoding('utf8').on('data', (text: string) => {
    seen += text;
  });
  const gone = new Promise((resolve) => bash.once('close', resolve));
  bash.stdin.write('exec 2>&1\n');
  return {
    type: async (commands) => {
      const mark = `-- step ${++typed} has ended --`;
      const file = join(folder, `.step-${typed}`);
      const from = seen.length;
      writeFileSync(file, commands);
      bash.stdin.write(`. ${file} < /dev/null\necho '${mark}'\n`);
      await until(() => seen.includes(mark, from), `the end of: ${commands}`, 150_000);
      return readable(seen.slice(from, seen.indexOf(mark, from)));
    },
    // Also what he has left in the background: `close` comes when nothing holds the output any more.
    close: async () => {
      if (bash.pid !== undefined && bash.exitCode === null) process.kill(-bash.pid, 'SIGTERM');
      await gone;
    },
  };
};

/** Without colours, and without what Facter says where /proc is another user's. */
const readable = (text: string): string =>
  stripVTControlCharacters(text)
    .split('\n')
    .filter((line) => !line.startsWith('Error: Facter: '))
    .join('\n');
