import { beforeEach, describe, expect, it } from 'vitest';
import { PolledTree } from '../../../src/daemon/mount/tree-sources.ts';
import type { Answer } from '../../../src/registry/statements.ts';
import { recordingLog } from '../../support/recording-log.ts';

const made = { description: '', owner: 'hp', created: '2026-01-02T03:04:05.000Z', updated: '2026-01-02T03:04:05.000Z' };
const directories: object[] = [{ id: 1, path: '/a', mode: '0775', ...made }];

describe('the tree of a mount without etcd', () => {
  let asked: [string, string | undefined][];
  /** What the broker says to a list; undefined: it is one of before, which passes over what was seen. */
  let revision: string | undefined;
  let tree: PolledTree;

  const registry = async ({ verb }: { verb: string }, seen?: string): Promise<Answer> => {
    asked.push([verb, seen]);
    const kind = verb === 'directory.list' ? 'directory' : 'definition';
    const answer = { kind, notices: [], rows: kind === 'directory' ? [...directories] : [] } as const;
    if (seen === undefined || revision === undefined) return answer;
    return seen === revision ? { ...answer, rows: [], revision, unchanged: true } : { ...answer, revision };
  };

  beforeEach(() => {
    asked = [];
    tree = new PolledTree('team1', { client: async () => ({ registry }) }, recordingLog());
  });

  it('the polled tree asks one question while nothing changes', async () => {
    let changes = 0;
    tree.onChange(() => changes++);
    revision = '7';
    await tree.ask();
    expect(asked.splice(0)).toEqual([
      ['directory.list', ''],
      ['definition.list', undefined],
    ]);
    await tree.ask();
    expect(asked.splice(0)).toEqual([['directory.list', '7']]);
    expect([tree.current()?.directories.length, changes]).toEqual([1, 1]);
    revision = '8';
    directories.push({ id: 2, path: '/b', mode: '0775', ...made });
    await tree.ask();
    expect(asked).toEqual([
      ['directory.list', '7'],
      ['definition.list', undefined],
    ]);
    expect([tree.current()?.directories.length, changes]).toEqual([2, 2]);
  });

  it('the polled tree asks a broker without revisions for everything', async () => {
    revision = undefined;
    await tree.ask();
    await tree.ask();
    expect(asked.map(([verb]) => verb)).toEqual([
      'directory.list',
      'definition.list',
      'directory.list',
      'definition.list',
    ]);
    expect(tree.current()?.directories.length).toBe(directories.length);
  });

  it('the polled tree asks once for many callers at the same time', async () => {
    await Promise.all([tree.ask(), tree.ask(), tree.ask()]);
    expect(asked).toHaveLength(2);
  });
});
