import { beforeEach, describe, expect, it } from 'vitest';
import { LimitedLog } from '../../../src/kit/limited-log.ts';
import { recordingLog } from '../../support/recording-log.ts';

describe('lines of the log that others can cause', () => {
  let now = 0;
  let log: ReturnType<typeof recordingLog>;
  let limited: LimitedLog;
  beforeEach(() => {
    log = recordingLog();
    limited = new LimitedLog(log, () => now);
  });
  const said = () => log.lines.map(({ fields }) => [fields['n'], fields['suppressed']]);

  it('a limited log writes one line for a subject and minute at once; further ones are counted in the last one', () => {
    for (let n = 0; n < 5; n++) limited.warn('a', { n }, 'Something.');
    limited.warn('b', { n: 9 }, 'Something.');
    expect(said()).toEqual([
      [0, undefined],
      [9, undefined],
    ]);
    now += 59_999;
    limited.tick();
    expect(said()).toHaveLength(2);
    now += 1;
    limited.tick();
    expect(said().slice(2)).toEqual([[4, 4]]);
    limited.warn('a', { n: 10 }, 'Something.');
    expect(said().at(-1)).toEqual([10, undefined]);
  });

  it('a limited log writes 20 lines a minute for many subjects, and one that counts the others', () => {
    for (let n = 0; n < 10_000; n++) limited.warn(`peer ${n}`, { n }, 'Something.');
    expect(said()).toHaveLength(20);
    now += 60_000;
    limited.warn('the next', { n: -1 }, 'Something.');
    expect(said().slice(20)).toEqual([
      [9_999, 9_980],
      [-1, undefined],
    ]);
  });

  it('a limited log continues after the clock was set back', () => {
    limited.warn('a', { n: 1 }, 'Something.');
    now -= 3_600_000;
    limited.warn('a', { n: 2 }, 'Something.');
    expect(said()).toHaveLength(2);
  });
});
