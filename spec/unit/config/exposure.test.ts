import { expect, it } from 'vitest';
import { parseConfig } from '../../../src/config/config.ts';
import { exposuresOf, type FileAccess } from '../../../src/config/exposure.ts';

const path = '/home/hp/triggerfs.toml';
const load = (text: string, env = {}) => parseConfig({ file: { path, text }, env });
const password = load('[main]\nsecret = "hunter2"');
const own: FileAccess = { mode: 0o600, uid: 1000, owner: 'hp', group: 'users' };
const whats = (loaded: ReturnType<typeof load>, access: Partial<FileAccess>, uid = 1000): string[] =>
  exposuresOf(loaded, { ...own, ...access }, uid).map(({ what }) => what);

it.each([
  ['closed', {}, []],
  ['readable by all', { mode: 0o644 }, ['every user can read it (mode 0644)']],
  ['readable by all, not by its group', { mode: 0o604 }, ['every user can read it']],
  ['readable by a group', { mode: 0o640 }, ['the group users can read it (mode 0640)']],
  ['readable by the owner’s own group', { mode: 0o640, group: 'hp' }, []],
  ['as the package has it', { mode: 0o640, uid: 0, owner: 'root', group: 'triggerd' }, []],
  ['readable by root’s group', { mode: 0o640, uid: 0, owner: 'root', group: 'root' }, []],
  ['somebody else’s', { uid: 1001, owner: 'eve' }, ['belongs to eve']],
  ['somebody else’s and open', { uid: 1001, owner: 'eve', mode: 0o644 }, ['belongs to eve', 'every user can read it']],
])('a warning is given, or not, for a file with a password that is %s', (_what, access, expected) => {
  expect(whats(password, access)).toEqual(expected.map((part) => expect.stringContaining(part)));
});

it('the warning about a readable file names each secret, and never its value', () => {
  const tokens = ['a', 'b', 'c'].map((name) => `[workers.team1.${name}]\ntoken = "hush"`).join('\n');
  const loaded = load(`[main]\njwt = "hush"\n${tokens}`);
  const [what] = whats(loaded, { mode: 0o644 });
  expect(what).toContain('(main.jwt, workers.team1.a.token, workers.team1.b.token, …)');
  expect(what).not.toContain('hush');
});

it('a file without secrets may be read by all; secrets in the environment are not the file’s', () => {
  expect(whats(load('[main]\nteam = "team1"', { TRIGGERD_MAIN_SECRET: 'hunter2' }), { mode: 0o644 })).toEqual([]);
});

it('a daemon of root’s does not trust a user’s file, with or without secrets', () => {
  expect(exposuresOf(load(''), own, 0)).toEqual([
    { what: `${path} belongs to hp, who can change what runs here`, remedy: `chown root ${path}` },
  ]);
});
