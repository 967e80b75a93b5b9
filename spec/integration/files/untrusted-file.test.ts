import { execFileSync, spawn } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  renameSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { maxLineLength, readUntrustedLines, readUntrustedText } from '../../../src/adapters/files/untrusted-file.ts';
import { temporaryFolder } from '../../support/journal.ts';

const nobody = 65_534;
const rules = { owners: [0], maxBytes: 1_048_576 };

/** What is put in the place of a file, and why it is not read. */
const attacks: [string, (path: string) => void | Promise<void>, RegExp][] = [
  ['a FIFO', (path) => void execFileSync('mkfifo', [path]), /it is a FIFO/],
  ['a device', (path) => void execFileSync('mknod', [path, 'c', '1', '5']), /it is a device/],
  ['a link to a device', (path) => symlinkSync('/dev/zero', path), /it is a symbolic link/],
  ['a link to a good file', (path) => symlinkSync('/etc/passwd', path), /it is a symbolic link/],
  ['a link to nothing', (path) => symlinkSync('/nowhere', path), /it is a symbolic link/],
  ['a folder', (path) => void mkdirSync(path), /it is a folder/],
  ['a socket', (path) => listen(path), /it is a socket/],
  ['another user’s file', (path) => strangers(path), /it belongs to user 65534/],
  ['a file that is too large', (path) => writeFileSync(path, 'x'.repeat(1_048_577)), /it is larger than 1024 KiB/],
  ['a hole of 1 TB', (path) => hole(path), /it is larger than 1024 KiB/],
  ['a second name of a log', (path) => secondName(path), /hard link/],
];

const listen = async (path: string): Promise<void> => {
  const server = createServer();
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(path, resolve));
};
const hole = (path: string): void => {
  writeFileSync(path, '');
  truncateSync(path, 2 ** 40);
};
const secondName = (path: string): void => {
  writeFileSync(`${path}.log`, 'x');
  linkSync(`${path}.log`, path);
};
const belowFile = (path: string): string => {
  writeFileSync(path, '');
  return join(path, 'x');
};
const strangers = (path: string): void => {
  writeFileSync(path, 'x');
  chownSync(path, nobody, nobody);
};

describe('a file that others may have written', () => {
  it('a file that others may have written is read when it is a regular file of its owner', async () => {
    const path = join(temporaryFolder(), 'file');
    writeFileSync(path, 'one\ntwo é\nthree');
    expect(await readUntrustedText(path, rules)).toEqual({ kind: 'read', uid: 0, text: 'one\ntwo é\nthree' });
    const lines: string[] = [];
    expect(await readUntrustedLines(path, rules, (line) => lines.push(line))).toEqual({ kind: 'read', uid: 0 });
    expect(lines).toEqual(['one', 'two é', 'three']);
  });

  it.each(attacks)('a file that others may have written is refused at once when it is %s', async (_what, put, why) => {
    const path = join(temporaryFolder(), 'file');
    await put(path);
    expect(await readUntrustedText(path, rules)).toEqual({ kind: 'refused', why: expect.stringMatching(why) });
    const lines: string[] = [];
    const read = await readUntrustedLines(path, rules, (line) => lines.push(line));
    expect(read).toEqual({ kind: 'refused', why: expect.stringMatching(why) });
    expect(lines).toEqual([]);
  });

  it('a file that anybody may write belongs to anybody, and the owner is told', async () => {
    const path = join(temporaryFolder(), 'file');
    strangers(path);
    expect(await readUntrustedText(path, { ...rules, owners: null })).toEqual({
      kind: 'read',
      uid: nobody,
      text: 'x',
    });
  });

  it.each([
    ['is not there', (path: string) => join(path, 'file')],
    ['is below a file', (path: string) => belowFile(join(path, 'file'))],
    ['is in a folder that is not there', (path: string) => join(path, 'no', 'file')],
  ])('a file that others may have written is absent when it %s', async (_what, place) => {
    expect(await readUntrustedText(place(temporaryFolder()), rules)).toEqual({ kind: 'absent' });
  });

  it('a file that another user may not read is refused to them', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), 'x');
    chmodSync(folder, 0o755);
    chmodSync(join(folder, 'file'), 0o600);
    // Root may read everything, so somebody else has to try.
    const seen = await asNobody(
      `readUntrustedText(${JSON.stringify(join(folder, 'file'))}, {owners: null, maxBytes: 9})`,
    );
    expect(seen).toEqual({ kind: 'forbidden' });
  });

  it('a file that grows while it is read is given up at its limit', async () => {
    const path = join(temporaryFolder(), 'file');
    writeFileSync(path, 'x'.repeat(700_000));
    let grown = 0;
    const read = await readUntrustedLines(path, { ...rules, maxBytes: 1_000_000 }, () => undefined);
    expect(read).toMatchObject({ kind: 'read' });
    appendFileSync(path, '\n');
    const growing = await readUntrustedLines(path, { ...rules, maxBytes: 1_000_000 }, () => {
      grown += 1;
      appendFileSync(path, `${'x'.repeat(99_999)}\n`);
    });
    expect(growing).toEqual({ kind: 'refused', why: 'it is larger than 976.5625 KiB' });
    expect(grown).toBeLessThan(10);
  });

  it('a file that is swapped continuously is either the good one or refused, never its replacement', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'file');
    writeFileSync(path, 'good');
    const script = `const fs=require('fs');const p=${JSON.stringify(path)};
      for(;;){fs.symlinkSync('/etc/passwd',p+'.l');fs.renameSync(p+'.l',p);fs.writeFileSync(p+'.f','good');fs.renameSync(p+'.f',p);}`;
    const swapper = spawn(process.execPath, ['-e', script], { stdio: 'ignore' });
    onTestFinished(() => void swapper.kill('SIGKILL'));
    const seen = new Set<string>();
    for (let tries = 0; tries < 20_000 && seen.size < 2; tries += 1) {
      const read = await readUntrustedText(path, rules);
      seen.add(read.kind === 'read' ? read.text : read.kind);
    }
    expect([...seen].sort()).toEqual(['good', 'refused']);
  });

  it('a file in a folder that was swapped for a link is judged by itself', async () => {
    const folder = temporaryFolder();
    const [state, elsewhere] = [join(folder, 'state'), join(folder, 'elsewhere')];
    mkdirSync(state);
    mkdirSync(elsewhere);
    writeFileSync(join(state, 'file'), 'good');
    strangers(join(elsewhere, 'file'));
    renameSync(state, `${state}.old`);
    symlinkSync(elsewhere, state);
    expect(await readUntrustedText(join(state, 'file'), rules)).toMatchObject({ kind: 'refused' });
  });

  it('a file’s long lines are cut, and the next line is whole', async () => {
    const path = join(temporaryFolder(), 'file');
    writeFileSync(path, `${'x'.repeat(300_000)}\nnext\n`);
    const lines: string[] = [];
    await readUntrustedLines(path, rules, (line) => lines.push(line));
    expect(lines.map((line) => line.length)).toEqual([maxLineLength, 4]);
  });
});

/** Runs the built reader as uid 65534. */
const asNobody = async (expression: string): Promise<unknown> => {
  const program = new URL('../../../dist/adapters/files/untrusted-file.js', import.meta.url).href;
  const code = `import {readUntrustedText} from ${JSON.stringify(program)};
    process.setgroups([]);process.setgid(${nobody});process.setuid(${nobody});
    console.log(JSON.stringify(await ${expression}));`;
  const args = ['--input-type=module', '-e', code];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
};
