import { expect, it } from 'vitest';
import { parseConfig } from '../../../src/config/config.ts';
import { changedSections } from '../../../src/daemon/compose/reload.ts';

const config = (text: string) => parseConfig({ file: { path: '/f.toml', text }, env: {} }).config;
const worker = '[workers.team1.demo01]\ntoken = "a"\n';

it.each([
  ['nothing', worker, worker, [], []],
  ['what firings may start', '', '[watch]\nallow = ["echo"]', ['watch'], []],
  ['what requests may start', worker, `[workers]\nallow = ["echo"]\n${worker}`, ['workers'], []],
  ['a worker more', worker, `${worker}[workers.team1.demo02]\ntoken = "b"`, ['workers'], ['workers']],
  ['a worker’s token', worker, worker.replace('"a"', '"b"'), ['workers'], ['workers']],
  ['a queue', '', '[queues.requests]\nslots = 8', [], ['queues']],
])(
  'a reload tells what takes effect, and what needs a restart, when it changes %s',
  (_what, before, after, now, atRestart) => {
    expect(changedSections(config(before), config(after))).toEqual({ now, atRestart });
  },
);
