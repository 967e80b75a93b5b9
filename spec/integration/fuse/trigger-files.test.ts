import { once } from 'node:events';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { FsError } from '../../../src/mount/errno.ts';
import type { Gateway, TreeChange } from '../../../src/mount/ports.ts';
import { definition, directory, mountTree, type TestMount } from '../../support/mounts.ts';
import { until } from '../../support/wait.ts';

const spooled: { readonly definition: number; readonly text: string; readonly durable: boolean }[] = [];
const sent: string[] = [];
const asked: TreeChange[] = [];
let refusal: FsError | undefined;
/** Ends of synchronous requests, by message; what is not here ends at once. */
const held = new Map<string, Promise<void>>();

const gateway: Gateway = {
  spool: async (id, messages, durable) => {
    if (refusal !== undefined) throw refusal;
    for (const message of messages) spooled.push({ definition: id, text: message.toString(), durable });
  },
  send: async (_id, message) => {
    const text = message.toString();
    sent.push(text);
    await held.get(text.trim());
    if (text.startsWith('fail')) throw new FsError('EIO', 'the plugin ended with 1');
    return Buffer.from(`output of ${text}`);
  },
  execute: async (change) => {
    asked.push(change);
    if (refusal !== undefined) throw refusal;
  },
  content: async (id, what) => Buffer.from(`${what} of ${id}\n`),
};

let mount: TestMount;
const sh = (script: string) =>
  execa('bash', ['-c', script], { cwd: mount.mountpoint, reject: false, env: { LC_ALL: 'C' }, timeout: 60_000 });
/** What a command that is refused says. */
const reason = async (script: string): Promise<string> => (await sh(script)).stderr;
const texts = (id: number): string[] => spooled.filter((one) => one.definition === id).map(({ text }) => text);

beforeAll(async () => {
  mount = await mountTree(gateway);
  mount.show({
    directories: [directory(1, 'demo'), directory(2, 'empty', { mode: 0o700 }), directory(3, 'inner', { parent: 1 })],
    definitions: [
      definition(10, 1, 'write', { max_message: 300_000 }),
      definition(11, 1, 'lines', { framing: 'line', mode: 0o602 }),
      definition(12, 1, 'whole', { framing: 'close', max_message: 1_000 }),
      definition(13, 1, 'sync', { delivery: 'sync', framing: 'line' }),
      definition(14, 1, 'loose', { service: null }),
      definition(15, 1, 'quick', { durable: false }),
    ],
  });
  await until(() => stat(mount.path('demo')).catch(() => undefined), 'the tree');
});
afterAll(() => mount.close());
afterEach(() => {
  spooled.length = 0;
  sent.length = 0;
  asked.length = 0;
  refusal = undefined;
});

describe('the tree', () => {
  it('the tree is listed with modes, owner, times and sizes, without control files', async () => {
    expect(await readdir(mount.path('demo'))).toEqual(['inner', 'lines', 'loose', 'quick', 'sync', 'whole', 'write']);
    const { mode, size, uid, mtimeMs } = await stat(mount.path('demo', 'lines'));
    expect({ mode, size, uid, mtimeMs }).toEqual({
      mode: 0o100602,
      size: 0,
      uid: 0,
      mtimeMs: Date.parse('2026-01-02T03:04:05Z'),
    });
    mount.link.saw(new Map([[11, { size: 42, hitAt: Date.parse('2026-05-05T00:00:00Z') }]]));
    const { stdout } = await sh('until [ -s demo/lines ]; do :; done; TZ=UTC ls -la demo');
    expect(stdout).toMatch(/-rw-----w- 1 root root +42 May +5 +\d+ lines/);
    expect(stdout).toMatch(/drwxrwxr-x 2 root root +0 Jan +2 +\d+ inner/);
  });

  it('the tree changes for a program that looks at it when the daemon says so', async () => {
    const tree = { directories: [directory(1, 'demo')], definitions: [definition(10, 1, 'write')] };
    const other = await mountTree(gateway);
    other.show({ directories: [directory(5, 'elsewhere')], definitions: [] });
    await until(async () => (await readdir(other.mountpoint))[0] === 'elsewhere', 'the tree');
    other.show(tree);
    await until(async () => (await readdir(other.mountpoint))[0] === 'demo', 'the change');
    await expect(stat(other.path('elsewhere'))).rejects.toThrow('ENOENT');
    await other.close();
  });

  it('the tree sends mkdir, mv, chmod and rmdir to the registry', async () => {
    await sh(
      'umask 022; mkdir new; mkdir demo/sub; mv demo/write empty/renamed; mv demo other; chmod 600 demo/lines; chmod g-w demo; rmdir empty',
    );
    expect(asked).toEqual([
      { verb: 'directory.add', path: '/new', mode: 0o755 },
      { verb: 'directory.add', path: '/demo/sub', mode: 0o755 },
      { verb: 'definition.set', name: '/demo/write', path: '/empty/renamed' },
      { verb: 'directory.set', path: '/demo', to: '/other' },
      { verb: 'definition.set', name: '/demo/lines', mode: 0o600 },
      { verb: 'directory.set', path: '/demo', mode: 0o755 },
      { verb: 'directory.delete', path: '/empty' },
    ]);
  });

  it('the tree keeps a trigger in its place while a program has it open for writing, and lets logrotate copy and truncate', async () => {
    const script = `exec 3>>demo/lines; mv demo/lines demo/lines.1; echo one >&3; mv demo/lines demo/lines.1
      cp demo/lines /dev/null && : > demo/lines && truncate -s 0 demo/lines && exec 3>&- && mv demo/lines demo/lines.1`;
    const { stderr, exitCode } = await sh(script);
    expect(stderr.match(/: Device or resource busy/g)).toHaveLength(2);
    expect(exitCode).toBe(0);
    expect(asked).toEqual([{ verb: 'definition.set', name: '/demo/lines', path: '/demo/lines.1' }]);
    expect(texts(11)).toEqual(['one\n']);
  });

  it.each([
    ['touch demo/file', 'Operation not permitted'],
    ['touch file', 'Operation not permitted'],
    ['rm -f demo/write', 'Operation not permitted'],
    ['ln -s demo/write link', 'Operation not permitted'],
    ['ln demo/write demo/link', 'Operation not permitted'],
    ['mknod demo/device c 1 3', 'Operation not permitted'],
    ['mkfifo demo/fifo', 'Operation not permitted'],
    ['chown 1 demo/write', 'Operation not permitted'],
    ['truncate -s 5 demo/write', 'Operation not permitted'],
    ['chmod 4755 demo/write', 'Operation not permitted'],
    ['chmod g+s demo/write', 'Operation not permitted'],
    [`python3 -c 'import os; os.mknod("demo/new")'`, 'Operation not permitted'],
    [`stat demo/${'n'.repeat(255)}`, 'No such file or directory'],
    ["stat $'demo/write\\xff'", 'No such file or directory'],
    ['mv demo/write .', 'Operation not permitted'],
    ['mv -T demo/write demo/lines', 'File exists'],
    ['mv -T demo empty', 'File exists'],
    ['mkdir demo', 'File exists'],
    ['mkdir nowhere/new', 'No such file or directory'],
    ['mkdir "a b"', 'Invalid argument'],
    ["mkdir $'a\\nb'", 'Invalid argument'],
    ["mkdir $'a\\xff'", 'Invalid argument'],
    [`mkdir ${'n'.repeat(64)}`, 'File name too long'],
    [`stat ${'n'.repeat(300)}`, 'File name too long'],
    ['rmdir demo', 'Directory not empty'],
    [`python3 -c 'import os; os.rename("demo/write", "/tmp/triggerd-elsewhere")'`, 'cross-device link'],
    ['echo x > demo', 'Is a directory'],
    ['echo x > demo/.write.status', 'Permission denied'],
    ['echo x > demo/loose', 'No such device or address'],
    ['cat demo/missing', 'No such file or directory'],
    [
      'setfattr -n user.x -v 1 demo/write || python3 -c \'import os,sys\ntry: os.setxattr("demo/write","user.x",b"1")\nexcept OSError as e: sys.exit(": "+e.strerror)\'',
      'Operation not supported',
    ],
  ])('the tree refuses %s: %s', async (script, why) => {
    expect(await reason(script)).toContain(why);
    expect(asked).toEqual([]);
    expect(spooled).toEqual([]);
  });

  it('the tree returns the registry’s refusals', async () => {
    refusal = new FsError('EACCES', 'you may not');
    expect(await reason('mkdir new')).toContain('Permission denied');
  });

  it('the tree sends nothing when programs only look', async () => {
    await sh(
      `python3 -c 'import ctypes; c = ctypes.CDLL(None); assert c.inotify_add_watch(c.inotify_init(), b"demo", 0xfff) > 0' || echo no watch
      find . -type f -exec cat {} +; ls -lR; df .; du -a; grep -r x .; tar c . | wc -c; stat -f .; getfattr -d demo/write
      cp -r demo /tmp/triggerd-copy; rm -r /tmp/triggerd-copy; : > demo/write; touch -c demo/lines; exec 3>demo/write 4>>demo/sync`,
    );
    expect(spooled).toEqual([]);
    expect(sent).toEqual([]);
  });

  it('the tree admits only users whom the mode admits', async () => {
    const asNobody = (script: string) => sh(`setpriv --reuid 65534 --regid 65534 --clear-groups bash -c '${script}'`);
    expect((await asNobody('echo no > demo/write')).stderr).toContain('Permission denied');
    expect((await asNobody('ls empty')).stderr).toContain('Permission denied');
    expect((await asNobody('echo yes > demo/lines')).exitCode).toBe(0);
    expect(texts(11)).toEqual(['yes\n']);
    expect((await asNobody('chmod 666 demo/write; chmod 777 demo')).stderr).toMatch(
      /not permitted[\s\S]*not permitted/,
    );
    expect(asked).toEqual([]);
  });

  it('a program that has a file open continues when its mode is taken away, as everywhere', async () => {
    const other = await mountTree(gateway);
    const tree = (mode: number) => ({
      directories: [directory(1, 'demo')],
      definitions: [definition(11, 1, 'lines', { framing: 'line', mode })],
    });
    other.show(tree(0o666));
    await until(() => stat(other.path('demo')).catch(() => undefined), 'the tree');
    const nobody = execa(
      'setpriv',
      [
        ...['--reuid', '65534', '--regid', '65534', '--clear-groups', 'bash', '-c'],
        'exec 3>demo/lines; echo open; read go; echo still >&3; echo again > demo/lines',
      ],
      { cwd: other.mountpoint, reject: false, env: { LC_ALL: 'C' } },
    );
    await once(nobody.stdout, 'data');
    other.show(tree(0o600));
    await until(async () => ((await stat(other.path('demo', 'lines'))).mode & 0o777) === 0o600, 'the change');
    nobody.stdin.end('go\n');
    expect((await nobody).stderr).toContain('Permission denied');
    expect(texts(11)).toEqual(['still\n']);
    await other.close();
  });
});

describe('writes', () => {
  it('writes are messages: echo, >>, tee, dd, cp, and printf of bytes that are not ASCII', async () => {
    await sh(`echo uptime > demo/write; echo more >> demo/write; echo tee | tee demo/write demo/quick > /dev/null
      printf '31F;10°;3.2' > demo/write; head -c 300000 /dev/zero | tr '\\0' z > /tmp/triggerd-big; cp /tmp/triggerd-big demo/write`);
    const [, , , weather, ...big] = texts(10);
    expect(texts(10).slice(0, 3)).toEqual(['uptime\n', 'more\n', 'tee\n']);
    expect(weather).toBe('31F;10°;3.2');
    expect(big.join('')).toBe('z'.repeat(300_000));
    expect(spooled.find(({ definition }) => definition === 15)).toEqual({
      definition: 15,
      text: 'tee\n',
      durable: false,
    });
  });

  it.each([1, 4_095, 4_096, 4_097, 126_975, 126_976, 126_977, 131_072, 253_952, 300_000])(
    'a write of %i bytes is one message',
    async (bytes) => {
      await sh(
        `python3 -c 'import os; fd = os.open("demo/write", os.O_WRONLY); assert os.write(fd, b"x" * ${bytes}) == ${bytes}'`,
      );
      expect(texts(10).map(({ length }) => length)).toEqual([bytes]);
    },
  );

  it('a write of one byte more than the limit is refused, and no part of it sent', async () => {
    expect(await reason('dd if=/dev/zero of=demo/write bs=300001 count=1')).toContain('File too large');
    expect(await reason('dd if=/dev/zero of=demo/whole bs=1 count=1001')).toContain('File too large');
    expect(await reason('head -c 2000 /dev/zero | tr "\\0" x > demo/whole')).toContain('File too large');
    expect(spooled).toEqual([]);
  });

  it('writes through duplicated and inherited descriptors make each line once', async () => {
    await sh(
      `{ echo one; (echo two); /bin/echo three; printf unfinished; } > demo/lines; exec 5>demo/lines 6>&5; echo four >&5; echo five >&6`,
    );
    expect(texts(11)).toEqual(['one\n', 'two\n', 'three\n', 'unfinished', 'four\n', 'five\n']);
  });

  it('writes of 100 writers with 100 messages each arrive whole and once', async () => {
    const script = `import os, threading
def work(i):
    fd = os.open("demo/lines", os.O_WRONLY | os.O_APPEND)
    for j in range(100): os.write(fd, b"%d-%d;" % (i, j)); os.write(fd, b"%s\\n" % (b"x" * 50))
    os.close(fd)
threads = [threading.Thread(target=work, args=(i,)) for i in range(100)]
for t in threads: t.start()
for t in threads: t.join()`;
    const { exitCode } = await execa('python3', ['-c', script], { cwd: mount.mountpoint });
    expect(exitCode).toBe(0);
    const wanted = Array.from({ length: 10_000 }, (_, n) => `${Math.floor(n / 100)}-${n % 100};${'x'.repeat(50)}\n`);
    expect(texts(11).sort()).toEqual(wanted.sort());
  });

  it('writes of 200 writers at once to one file and to 500 arrive whole, each in its own file', async () => {
    const other = await mountTree(gateway);
    const many = Array.from({ length: 500 }, (_, n) => definition(1_000 + n, 1, `f${n}`));
    other.show({ directories: [directory(1, 'demo')], definitions: [definition(10, 1, 'write'), ...many] });
    await until(() => stat(other.path('demo', 'f499')).catch(() => undefined), 'the tree');
    const script = `import threading
def put(name, text):
    with open("demo/" + name, "w") as f: f.write(text)
def work(i):
    put("write", ("%d;" % i) * 100)
    for n in range(i, 500, 200): put("f%d" % n, "to %d" % n)
threads = [threading.Thread(target=work, args=(i,)) for i in range(200)]
for t in threads: t.start()
for t in threads: t.join()`;
    expect((await execa('python3', ['-c', script], { cwd: other.mountpoint })).exitCode).toBe(0);
    expect(texts(10).sort()).toEqual(Array.from({ length: 200 }, (_, i) => `${i};`.repeat(100)).sort());
    for (const { id } of many) expect(texts(id)).toEqual([`to ${id - 1_000}`]);
    await other.close();
  });

  it('writes of a program in C: writev is one message, positions mean nothing, and nothing can be mapped', async () => {
    const program = String.raw`
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>
int main(void) {
  int fd = open("demo/write", O_RDWR | O_TRUNC | O_APPEND);
  struct iovec parts[] = {{"one ", 4}, {"two ", 4}, {"three", 5}};
  printf("%zd", writev(fd, parts, 3));
  printf(" %zd", pwrite(fd, "far", 3, 1L << 30));
  lseek(fd, 1L << 20, SEEK_SET);
  printf(" %zd %zd", write(fd, "after a gap", 11), write(fd, "", 0));
  void *mapped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  printf(" %s", mapped == MAP_FAILED ? strerror(errno) : "mapped");
  FILE *lines = fopen("demo/lines", "a");
  fprintf(lines, "31F;10\xc2\xb0;3.2\n%s", "unfinished");
  printf(" %d %d", fclose(lines), close(fd));
}`;
    const compiled = `${mount.mountpoint}.out`;
    onTestFinished(() => rm(compiled));
    await execa('gcc', ['-x', 'c', '-o', compiled, '-'], { input: program });
    const { stdout } = await execa(compiled, { cwd: mount.mountpoint });
    expect(stdout).toBe('13 3 11 0 No such device 0 0');
    expect(texts(10)).toEqual(['one two three', 'far', 'after a gap']);
    expect(texts(11).join('')).toBe('31F;10°;3.2\nunfinished');
  });

  it('writes that the journal refuses fail with its errno', async () => {
    refusal = new FsError('ENOSPC', 'disk full');
    expect(await reason('echo x > demo/write')).toContain('No space left on device');
    expect(
      await reason(
        'python3 -c \'import sys\nf = open("demo/whole", "w"); f.write("x")\ntry: f.close()\nexcept OSError as e: sys.exit(": "+e.strerror)\'',
      ),
    ).toContain('No space left on device');
  });
});

describe('synchronous writes', () => {
  it('synchronous writes succeed or fail at close, and return their own output on the same handle', async () => {
    expect((await sh('echo fine > demo/sync')).exitCode).toBe(0);
    const closing =
      'import os, sys\nfd = os.open("demo/sync", os.O_WRONLY)\nos.write(fd, b"fail\\n")\ntry: os.close(fd)\nexcept OSError as e: print(e.strerror)';
    expect((await execa('python3', ['-c', closing], { cwd: mount.mountpoint })).stdout).toBe('Input/output error');
    expect((await sh('exec 3<>demo/sync; echo mine >&3; cat <&3')).stdout).toBe('output of mine');
    expect(sent).toEqual(['fine\n', 'fail\n', 'mine\n']);
  });

  it('synchronous writes delay nobody else', async () => {
    let release = (): void => undefined;
    held.set('slow', new Promise((resolve) => (release = resolve)));
    const slow = sh('echo slow > demo/sync');
    await until(() => sent.includes('slow\n'), 'the slow request');
    expect((await sh('echo swift > demo/sync && echo other > demo/write && cat demo/sync')).stdout).toBe(
      'result of 13',
    );
    release();
    expect((await slow).exitCode).toBe(0);
  });
});

it('the last result can be read, and control files, too', async () => {
  expect(await readFile(mount.path('demo', 'write'), 'utf8')).toBe('result of 10\n');
  expect(await readFile(mount.path('demo', '.write.status'), 'utf8')).toBe('status of 10\n');
  expect(await readFile(mount.path('demo', '.write.log'), 'utf8')).toBe('log of 10\n');
});
