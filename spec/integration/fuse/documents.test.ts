/** Framing `close` on a real mount: what the usual programs copy to a trigger arrives byte for byte, or they fail. */
import { chmod, mkdtemp, open, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FsError } from '../../../src/mount/errno.ts';
import type { Gateway, TreeChange } from '../../../src/mount/ports.ts';
import { definition, directory, mountTree, type TestMount } from '../../support/mounts.ts';
import { until } from '../../support/wait.ts';

const spooled: { readonly id: number; readonly bytes: Buffer }[] = [];
const asked: TreeChange[] = [];
let refusal: FsError | undefined;
const gateway: Gateway = {
  spool: async (id, messages) => {
    if (refusal !== undefined) throw refusal;
    for (const bytes of messages) spooled.push({ id, bytes: Buffer.from(bytes) });
  },
  send: async () => Buffer.alloc(0),
  execute: async (change) => void asked.push(change),
  content: async () => Buffer.alloc(100, 'a'),
};

let mount: TestMount;
let folder: string;
const sh = (script: string) =>
  execa('bash', ['-c', script], {
    cwd: folder,
    reject: false,
    env: { LC_ALL: 'C', T: mount.path('demo') },
    timeout: 60_000,
  });
const python = (script: string) =>
  execa('python3', ['-c', `import os, signal\n${script}`], { cwd: mount.mountpoint, reject: false, timeout: 60_000 });
const documents = (id = 10): string[] =>
  spooled.filter((one) => one.id === id).map(({ bytes }) => bytes.toString('latin1'));
const answered = async (size: number): Promise<void> => {
  mount.link.saw(new Map([[10, { size, hitAt: Date.now() }]]));
  await until(async () => (await stat(mount.path('demo', 'doc'))).size === size, 'the size of the answer');
};
/** Of 614,401 bytes, with holes in the middle and, if wanted, at the end. */
const sparse = async (name: string, length: number): Promise<string> => {
  const file = await open(join(folder, name), 'w');
  await file.write(Buffer.alloc(4_096, 'x'), 0, 4_096, 0);
  await file.write(Buffer.from('y'), 0, 1, 614_400);
  await file.close();
  await truncate(join(folder, name), length);
  return `${'x'.repeat(4_096)}${'\0'.repeat(610_304)}y${'\0'.repeat(length - 614_401)}`;
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'triggerd-documents-'));
  mount = await mountTree(gateway);
  mount.show({
    directories: [directory(1, 'demo')],
    definitions: [
      definition(10, 1, 'doc', { framing: 'close' }),
      definition(11, 1, 'kept', { framing: 'close', partial: 'send' }),
      definition(12, 1, 'small', { framing: 'close', max_message: 1_000 }),
      definition(13, 1, 'line', { framing: 'line' }),
      definition(14, 1, 'droppedline', { framing: 'line', partial: 'drop' }),
      definition(15, 1, 'write'),
    ],
  });
  await until(() => stat(mount.path('demo')).catch(() => undefined), 'the tree');
});
afterAll(async () => {
  await mount?.close();
  await rm(folder, { recursive: true });
});
afterEach(() => {
  spooled.length = 0;
  asked.length = 0;
  refusal = undefined;
});

describe('a copy', () => {
  it.each([
    ['cp', 'cp sparse $T/doc'],
    ['cp --sparse=always', 'cp --sparse=always sparse $T/doc'],
    ['cp -p', 'cp -p sparse $T/doc'],
    ['cat', 'cat sparse > $T/doc'],
    ['cat >>', 'cat sparse >> $T/doc'],
    ['dd conv=sparse', 'dd if=sparse of=$T/doc bs=64K conv=sparse status=none'],
    ['dd conv=notrunc,fsync oflag=dsync', 'dd if=sparse of=$T/doc bs=128K conv=notrunc,fsync oflag=dsync status=none'],
    ['rsync -a --inplace', 'rsync -a --inplace sparse $T/doc'],
    ['tar --overwrite', 'cp sparse doc; tar -cSf t.tar doc; tar -xf t.tar --overwrite -C $T'],
  ])('a copy by %s of a file with holes, and one at its end, is its bytes', async (_name, script) => {
    await answered(0);
    for (const length of [614_401, 700_000]) {
      const wanted = await sparse('sparse', length);
      await chmod(join(folder, 'sparse'), 0o600);
      const { exitCode, stderr } = await sh(script);
      expect([exitCode, stderr]).toEqual([0, '']);
      expect(documents().map((text) => [text.length, text === wanted])).toEqual([[length, true]]);
      spooled.length = 0;
    }
    // Neither the mode of the original nor its owner or times are the trigger's.
    expect(asked).toEqual([]);
  });

  it('a copy of nothing sends nothing and changes nothing', async () => {
    await writeFile(join(folder, 'empty'), '', { mode: 0o600 });
    const { exitCode, stderr } = await sh('cp empty $T/doc && cp -p empty $T/doc');
    expect([exitCode, stderr]).toEqual([0, '']);
    expect([documents(), asked]).toEqual([[], []]);
  });

  it('a copy that reuses parts of the last answer fails: they are no part of the document', async () => {
    await answered(100);
    await writeFile(join(folder, 'similar'), `${'a'.repeat(100)}more`);
    const { exitCode } = await sh('rsync --inplace --append similar $T/doc');
    expect(exitCode).not.toBe(0);
    await python('fd = os.open("demo/doc", os.O_WRONLY)\nos.lseek(fd, 0, 2)\nos.write(fd, b"more")');
    expect(documents()).toEqual([]);
    // Whole files are their bytes, whatever the last answer was.
    expect((await sh('rsync -a --inplace similar $T/doc; cp similar $T/doc; cat similar >> $T/doc')).exitCode).toBe(0);
    expect(documents()).toEqual(Array(3).fill(`${'a'.repeat(100)}more`));
    await answered(0);
  });

  it.each([
    ['mv', 'mv small $T/doc'],
    ['install', 'install small $T/doc'],
    ['sed -i', 'sed -i s/x/y/ $T/doc'],
    ['rsync without --inplace', 'rsync -a small $T/doc'],
    ['tar without --overwrite', 'tar -cf t.tar --transform s/small/doc/ small; tar -xf t.tar -C $T'],
    ['ln', 'ln -sf small $T/doc'],
  ])('a copy by %s, which replaces the file, is refused', async (_name, script) => {
    await writeFile(join(folder, 'small'), 'x');
    expect((await sh(script)).exitCode).not.toBe(0);
    expect([documents(), asked]).toEqual([[], []]);
  });
});

describe('a program that writes a document', () => {
  it('a program that writes a document writes anywhere, again, and truncates', async () => {
    const { stdout } = await python(`fd = os.open("demo/doc", os.O_RDWR | os.O_TRUNC)
os.write(fd, b"header: ?; ")
os.pwrite(fd, b"body", 15)
os.ftruncate(fd, 19)
os.pwrite(fd, b"1", 8)
os.ftruncate(fd, 18)
os.ftruncate(fd, 20)
os.fsync(fd)
os.pwrite(fd, b"!", 19)
os.close(fd)`);
    expect(stdout).toBe('');
    expect(documents()).toEqual(['header: 1; \0\0\0\0bod\0!']);
  });

  it('a program whose document was refused in part sends nothing, and gets the error at every close', async () => {
    const { stdout } = await python(`import errno
def attempt(work):
    try: work(); return "fine"
    except OSError as e: return errno.errorcode[e.errno]
for refused in (lambda fd: os.pwrite(fd, b"x", 1000), lambda fd: os.ftruncate(fd, 1001), lambda fd: os.write(fd, b"x" * 998)):
    fd = os.open("demo/small", os.O_WRONLY | os.O_TRUNC)
    os.write(fd, b"abc")
    print(attempt(lambda: refused(fd)), attempt(lambda: os.pwrite(fd, b"x", 0)), attempt(lambda: os.close(os.dup(fd))), attempt(lambda: os.close(fd)))`);
    expect(stdout).toBe(Array(3).fill('EFBIG EFBIG EFBIG EFBIG').join('\n'));
    expect((await sh('truncate -s 2000 big; cp big $T/small')).stderr).toContain('File too large');
    expect(documents(12)).toEqual([]);
    expect((await sh('truncate -s 1000 big; cp big $T/small')).exitCode).toBe(0);
    expect(documents(12)).toEqual(['\0'.repeat(1_000)]);
  });

  it('a program that writes a document gets at its close the journal’s refusal', async () => {
    refusal = new FsError('ENOSPC', 'disk full');
    expect((await sh('echo x > big; cp big $T/doc')).stderr).toContain('No space left on device');
  });

  it('a program that writes a document may give it any mode, owner and times, and the trigger keeps its own', async () => {
    const { stdout, stderr } = await python(`fd = os.open("demo/doc", os.O_WRONLY | os.O_TRUNC)
os.write(fd, b"x"); os.fchmod(fd, 0o4755); os.fchown(fd, 1, 1); os.utime("demo/doc", (1, 1)); os.chmod("demo/doc", 0); os.close(fd)`);
    expect([stdout, stderr, documents(), asked]).toEqual(['', '', ['x'], []]);
  });
});

describe('modes, owners and times', () => {
  it('modes, owners and times are refused or passed to the registry where no document is being written', async () => {
    const { stderr } = await sh('chmod 600 $T/doc; chown 1 $T/line; touch $T/line; chown 1 $T/kept; touch -c $T/kept');
    expect(stderr.match(/Operation not permitted/g)).toHaveLength(4);
    expect(asked).toEqual([{ verb: 'definition.set', name: '/demo/doc', mode: 0o600 }]);
  });

  it('a chmod right after a copy changes the trigger', async () => {
    expect((await sh('echo x > big; cp big $T/doc && chmod 640 $T/doc')).exitCode).toBe(0);
    expect(asked).toEqual([{ verb: 'definition.set', name: '/demo/doc', mode: 0o640 }]);
  });

  it('a second chmod after a copy changes the trigger, whichever program has made the copy', async () => {
    await writeFile(join(folder, 'mine'), 'x', { mode: 0o600 });
    const tar = 'cp -p mine doc; tar -cf t.tar doc; tar -xf t.tar --overwrite -C $T';
    for (const copy of [
      'cp -p mine $T/doc',
      'rsync -a --inplace mine $T/doc',
      'rsync -a --inplace --ignore-times mine $T/doc',
      tar,
    ])
      expect((await sh(`${copy}; chmod 640 $T/doc`)).exitCode).toBe(0);
    expect(asked).toEqual(Array(4).fill({ verb: 'definition.set', name: '/demo/doc', mode: 0o640 }));
  });

  it('modes, owners and times of another framing’s file do not change while a program writes to it', async () => {
    await writeFile(join(folder, 'mine'), 'x', { mode: 0o600 });
    expect((await sh('cp -p mine $T/write')).stderr).toMatch(/not permitted|busy/);
    expect((await sh('cp --preserve=mode mine $T/line')).stderr).toContain('Device or resource busy');
    expect([documents(15), asked]).toEqual([['x'], []]);
    expect((await sh('chmod 640 $T/line')).exitCode).toBe(0);
    expect(asked).toHaveLength(1);
  });
});

describe('a writer that is killed midway', () => {
  const writer = (file: string, end: string): string => `fd = os.open("demo/${file}", os.O_WRONLY | os.O_TRUNC)
os.write(fd, b"half of ")
${end}`;
  const kills = ['SIGKILL', 'SIGTERM', 'SIGSEGV', 'SIGHUP'];

  it.each(kills)('a writer killed midway by %s has sent nothing', async (signal) => {
    const { signal: died } = await python(writer('doc', `os.kill(os.getpid(), signal.${signal})`));
    expect(died).toBe(signal);
    // The kernel answers to the next one only when it has closed the file.
    expect((await sh('echo next > $T/doc')).exitCode).toBe(0);
    expect(documents()).toEqual(['next\n']);
  });

  it('a writer killed midway with many threads has sent nothing', async () => {
    await python(`import threading, time
fd = os.open("demo/doc", os.O_WRONLY)
def write():
    os.write(fd, b"x")
    threading.Event().wait()
for _ in range(8): threading.Thread(target=write).start()
os.kill(os.getpid(), signal.SIGKILL)`);
    await sh('echo next > $T/doc');
    expect(documents()).toEqual(['next\n']);
  });

  it('a writer killed midway sends what there is where the trigger says so, and where its framing is a stream', async () => {
    for (const file of ['kept', 'line', 'droppedline'])
      await python(writer(file, 'os.kill(os.getpid(), signal.SIGKILL)'));
    await until(() => documents(11).length + documents(13).length === 2, 'the two messages');
    await sh('echo next > $T/droppedline');
    expect([documents(11), documents(13), documents(14)]).toEqual([['half of '], ['half of '], ['next\n']]);
  });

  it('a writer killed midway ends the document of those who share the file with it, who get an error', async () => {
    const { stdout } = await python(`fd = os.open("demo/doc", os.O_WRONLY | os.O_TRUNC)
os.set_inheritable(fd, True)
os.write(fd, b"half of ")
child = os.fork()
if child == 0: os.kill(os.getpid(), signal.SIGKILL)
os.waitpid(child, 0)
for work in (lambda: os.write(fd, b"it"), lambda: os.close(fd)):
    try: work(); print("fine")
    except OSError as e: print(e.strerror)`);
    expect(stdout).toBe('Input/output error\nInput/output error');
    expect(documents()).toEqual([]);
  });

  it('a writer that ends without close, or ends badly, is not taken for killed: it has written its document', async () => {
    await python(writer('doc', 'os._exit(0)'));
    await python(writer('doc', 'os._exit(3)'));
    await until(() => documents().length === 2, 'the documents');
    expect(documents()).toEqual(['half of ', 'half of ']);
  });
});
