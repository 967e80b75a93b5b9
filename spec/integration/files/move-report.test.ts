import {
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { moveReport } from '../../../src/adapters/puppet/move-report.ts';

const text = '--- !ruby/object:Puppet::Transaction::Report\nhost: lb01\n';
const other = 65_534;

describe('the report of a run', () => {
  let folder: string;
  let own: string;
  let standard: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'triggerd-report-'));
    own = join(folder, '.own');
    standard = join(folder, 'report.yaml');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const written = (content = text) => writeFileSync(own, content, { mode: 0o640 });

  it('the report of a run replaces the previous one as a whole, with its own mode', async () => {
    written();
    writeFileSync(standard, 'old', { mode: 0o600 });
    await moveReport(own, standard);
    expect(readFileSync(standard, 'utf8')).toBe(text);
    expect(statSync(standard)).toMatchObject({ uid: 0, mode: 0o100640 });
    expect(readdirSync(folder)).toEqual(['report.yaml']);
  });

  it('the report of a run keeps the owner of the previous one, as Puppet does', async () => {
    written(text + 'x'.repeat(3_000_000));
    writeFileSync(standard, 'old');
    chownSync(standard, other, other);
    await moveReport(own, standard);
    expect(statSync(standard)).toMatchObject({ uid: other, gid: other, mode: 0o100640, size: text.length + 3_000_000 });
    expect(readdirSync(folder)).toEqual(['report.yaml']);
  });

  it('the report of a run that another user wrote does not become root’s', async () => {
    written();
    chownSync(own, other, other);
    writeFileSync(standard, 'old');
    await moveReport(own, standard);
    expect(statSync(standard)).toMatchObject({ uid: other });
  });

  it('the report of a run replaces a link in its place, not the link’s target', async () => {
    written();
    const precious = join(folder, 'precious');
    writeFileSync(precious, 'precious');
    symlinkSync(precious, standard);
    await moveReport(own, standard);
    expect(readFileSync(precious, 'utf8')).toBe('precious');
    expect(readFileSync(standard, 'utf8')).toBe(text);
  });

  it.each<[string, () => void]>([
    ['a link', () => symlinkSync('/etc/shadow', own)],
    ['a folder', () => mkdirSync(own)],
    [
      'another file of root’s with a second name',
      () => {
        writeFileSync(join(folder, 'secret'), 'root only');
        linkSync(join(folder, 'secret'), own);
      },
    ],
  ])('the report of a run does not hand %s in its place to the previous one’s owner', async (_what, plant) => {
    plant();
    writeFileSync(standard, 'old');
    chownSync(standard, other, other);
    await expect(moveReport(own, standard)).rejects.toThrow();
    expect(readFileSync(standard, 'utf8')).toBe('old');
  });

  it('a report that was not written changes nothing', async () => {
    await moveReport(own, standard);
    expect(existsSync(standard)).toBe(false);
  });

  it('the report of a run is lost when a folder is in its place, and the failure names it', async () => {
    written();
    mkdirSync(standard);
    await expect(moveReport(own, standard)).rejects.toThrow(/EISDIR|ENOTEMPTY/);
    expect(existsSync(own)).toBe(false);
  });
});
