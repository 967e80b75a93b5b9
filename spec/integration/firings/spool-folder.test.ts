import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSpoolFolder } from '../../../src/adapters/files/spool-folder.ts';
import type { TriggerdError } from '../../../src/domain/errors.ts';
import type { Spool } from '../../../src/firings/ports.ts';
import { SpoolDrain } from '../../../src/firings/publish/spool-drain.ts';
import { serializeFiring } from '../../../src/firings/wire/firing.ts';
import { keysBelow } from '../../../src/store/keys.ts';
import { firing } from '../../support/firings.ts';
import { MemoryStore } from '../../support/memory-store.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { until } from '../../support/wait.ts';

const id = '01K9ZQ4T5M8W3V6X7Y8Z9A0BCD';
const asRoot = process.getuid?.() === 0;

describe('the spool on a real file system', () => {
  let dir: string;
  let path: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'triggerd-spool-'));
    path = join(dir, 'spool');
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const modeOf = (file: string) => statSync(file).mode & 0o777;
  const fifo = (file: string) => execFileSync('mkfifo', [file]);

  it('the spool makes its folder for nobody else, and files likewise', async () => {
    const spool = await openSpoolFolder(join(dir, 'deep', 'spool'));
    await spool.add(id, '{"a":"ü"}');
    const file = join(dir, 'deep', 'spool', `${id}.json`);
    expect([modeOf(join(dir, 'deep', 'spool')), modeOf(file)]).toEqual([0o700, 0o600]);
    expect(readFileSync(file, 'utf8')).toBe('{"a":"ü"}');
    expect(readdirSync(join(dir, 'deep', 'spool'))).toEqual([`${id}.json`]);
  });

  it('the spool deletes useless files in time, and never a firing', async () => {
    let now = Date.now();
    const times = { lookEveryMs: 60_000, settleMs: 1_000 };
    const spool = await openSpoolFolder(path, times, () => now);
    await spool.add(id, '{}');
    const other = id.replace(/D$/, 'E');
    for (const name of [`.tmp-${other}.json`, `${other}.place`, `${id}.place`, 'bad.json'])
      writeFileSync(join(path, name), '');
    await spool.list();
    await spool.reject('bad.json', 'no firing');
    const leftAfter = async (hours: number) => {
      now = Date.now() + hours * 3_600_000;
      await spool.list();
      return [readdirSync(path).sort(), readdirSync(join(path, 'rejected')).sort()];
    };
    const firings = [`${id}.json`, `${id}.place`, 'rejected'];
    const rejected = ['bad.json', 'bad.json.reason'];
    expect(await leftAfter(0.9)).toEqual([
      [`.tmp-${other}.json`, `${id}.json`, `${id}.place`, `${other}.place`, 'rejected'],
      rejected,
    ]);
    expect(await leftAfter(2)).toEqual([firings, rejected]);
    expect(await leftAfter(29 * 24)).toEqual([firings, rejected]);
    expect(await leftAfter(31 * 24)).toEqual([firings, []]);
  });

  it('the spool takes the same firing again, also over what a killed writer has left', async () => {
    const spool = await openSpoolFolder(path);
    writeFileSync(join(path, `.tmp-${id}.json`), 'ha');
    await spool.add(id, 'one');
    await spool.add(id, 'one');
    expect(await spool.read(`${id}.json`)).toEqual({ text: 'one', keyspace: null });
    expect(readdirSync(path)).toEqual([`${id}.json`]);
  });

  it('the spool lists firings, the oldest first, and nothing else', async () => {
    const spool = await openSpoolFolder(path);
    for (const [index, name] of ['c.json', 'a.json', 'b.json'].entries()) {
      writeFileSync(join(path, name), '');
      utimesSync(join(path, name), 1_000 + index, 1_000 + index);
    }
    for (const name of ['.tmp-x', '.hidden.json', 'notes.txt', `${id}.place`]) writeFileSync(join(path, name), '');
    mkdirSync(join(path, 'rejected'));
    expect(await spool.list()).toEqual([
      { name: 'c.json', storedAt: 1_000_000 },
      { name: 'a.json', storedAt: 1_001_000 },
      { name: 'b.json', storedAt: 1_002_000 },
    ]);
  });

  it('the spool tells which etcd a firing belongs to, and removes that file with it', async () => {
    const spool = await openSpoolFolder(path);
    await spool.add(id, 'x');
    writeFileSync(join(path, `${id}.place`), '{"endpoints":["http://a:1"],"prefix":"/p"}');
    expect(await spool.read(`${id}.json`)).toEqual({
      text: 'x',
      keyspace: { endpoints: ['http://a:1'], prefix: '/p' },
    });
    await spool.remove(id);
    expect(readdirSync(path)).toEqual([]);
    await spool.remove(id);
    expect(await spool.read(`${id}.json`)).toBeUndefined();
  });

  it.each<[string, (file: string) => void, RegExp]>([
    ['a symbolic link', (file) => symlinkSync('/etc/passwd', file), /symbolic link/],
    ['a folder', (file) => mkdirSync(file), /not a file/],
    ['a FIFO', fifo, /not a file/],
    ['giant', (file) => writeFileSync(file, 'x'.repeat(1024 * 1024 + 1)), /larger than/],
    ['no text', (file) => writeFileSync(file, Buffer.from([0xff])), /not UTF-8/],
  ])('the spool does not read a file that is %s, and can set it aside', async (_what, plant, reason) => {
    const spool = await openSpoolFolder(path);
    plant(join(path, `${id}.json`));
    await expect(spool.read(`${id}.json`)).rejects.toMatchObject({ code: 'input-invalid', message: reason });
    await spool.reject(`${id}.json`, 'because');
    await spool.reject(`${id}.json`, 'somebody else was faster');
    expect(readdirSync(path)).toEqual(['rejected']);
    expect(readdirSync(join(path, 'rejected'))).toEqual([`${id}.json`, `${id}.json.reason`]);
    expect(readFileSync(join(path, 'rejected', `${id}.json.reason`), 'utf8')).toBe('because\n');
  });

  const plants: [string, () => void, RegExp][] = [
    ['a symbolic link', () => symlinkSync(mkdtempSync(join(dir, 'x')), path), /symbolic link/],
    ['a link to nowhere', () => symlinkSync('/nowhere', path), /symbolic link/],
    ['a FIFO', () => fifo(path), /not a folder/],
    ['a file', () => writeFileSync(path, ''), /not a folder/],
    ['writable by everybody', () => chmodSync(mkdirSync(path, { recursive: true }) ?? '', 0o777), /written by/],
    ['writable by its group', () => chmodSync(mkdirSync(path, { recursive: true }) ?? '', 0o770), /written by/],
  ];

  it.each(plants)('the spool refuses a folder that is %s', async (_what, plant, reason) => {
    plant();
    for (const name of [path, `${path}/`])
      await expect(openSpoolFolder(name)).rejects.toMatchObject({ code: 'spool-unusable', message: reason });
  });

  it.runIf(asRoot)('the spool refuses a folder of another user', async () => {
    mkdirSync(path, { mode: 0o700 });
    chownSync(path, 65_534, 65_534);
    await expect(openSpoolFolder(path)).rejects.toMatchObject({
      message: expect.stringMatching(/belongs to user 65534/),
    });
  });

  it('the spool refuses a folder that was exchanged later, and makes one that was removed', async () => {
    const spool = await openSpoolFolder(path);
    renameSync(path, `${path}-away`);
    symlinkSync(`${path}-away`, path);
    await expect(spool.add(id, 'x')).rejects.toMatchObject({ code: 'spool-unusable' });
    await expect(spool.list()).rejects.toMatchObject({ code: 'spool-unusable' });
    expect(readdirSync(`${path}-away`)).toEqual([]);
    rmSync(path);
    await spool.add(id, 'x');
    expect(await spool.list()).toHaveLength(1);
  });

  it.runIf(asRoot)(
    'the spool on a full disk refuses new firings, leaves nothing half written, and recovers',
    async () => {
      mkdirSync(path, { mode: 0o700 });
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=0700', 'tmpfs', path]);
      try {
        const spool = await openSpoolFolder(path);
        await spool.add(id, 'kept');
        const big = 'x'.repeat(100_000);
        const failed = (await spool.add('01K9ZQ4T5M8W3V6X7Y8Z9A0BCE', big).catch((error) => error)) as TriggerdError;
        expect(failed).toMatchObject({ code: 'spool-unusable', message: expect.stringMatching(/ENOSPC/) });
        expect(readdirSync(path)).toEqual([`${id}.json`]);
        await spool.add('01K9ZQ4T5M8W3V6X7Y8Z9A0BCF', 'small');
        expect(await spool.list()).toHaveLength(2);
      } finally {
        execFileSync('umount', [path]);
      }
    },
  );

  const counting = (spool: Spool) => {
    const counted: { calls: number; stop: () => void } = { calls: 0, stop: () => undefined };
    counted.stop = spool.onChange(() => {
      counted.calls += 1;
    });
    return counted;
  };

  it('the spool does not call back for each firing of a burst', async () => {
    const spool = await openSpoolFolder(path, { lookEveryMs: 60_000, settleMs: 200 });
    const startedAt = performance.now();
    const counted = counting(spool);
    const ids = Array.from({ length: 30 }, (_, index) => `01K9ZQ4T5M8W3V6X7Y8Z9A${String(index).padStart(4, '0')}`);
    await Promise.all(ids.map((each) => spool.add(each, 'x')));
    await until(() => counted.calls > 0, 'a call');
    const before = counted.calls;
    await spool.add(id, 'y');
    await until(() => counted.calls > before, 'a call for what came later');
    counted.stop();
    // One for each time in which something may settle, however long that many files take here.
    expect(counted.calls).toBeLessThanOrEqual(2 + (performance.now() - startedAt) / 200);
  });

  it('the spool does not call back for a firing that its own run has published', async () => {
    const spool = await openSpoolFolder(path, { lookEveryMs: 400, settleMs: 20 });
    const startedAt = performance.now();
    const counted = counting(spool);
    // In one go, as far as the spool can tell: how long a run takes for that is not what this is about.
    writeFileSync(join(path, `.tmp-${id}.json`), 'x');
    renameSync(join(path, `.tmp-${id}.json`), join(path, `${id}.json`));
    rmSync(join(path, `${id}.json`));
    await until(() => counted.calls > 0, 'the regular call');
    counted.stop();
    expect(performance.now() - startedAt, 'nothing called before the timer').toBeGreaterThan(390);
  });

  it('the spool calls back from time to time where the folder cannot be watched', async () => {
    const spool = await openSpoolFolder(path, { lookEveryMs: 5, settleMs: 5 });
    rmSync(path, { recursive: true });
    const counted = counting(spool);
    await until(() => counted.calls > 1, 'two calls');
    counted.stop();
  });

  it('the spool is drained: a firing that another process renames into it is published and removed', async () => {
    const store = new MemoryStore();
    const keys = keysBelow('/trigger');
    const spool = await openSpoolFolder(path, { lookEveryMs: 60_000, settleMs: 5 });
    const log = recordingLog();
    const drain = new SpoolDrain({ store, keys, spool, isOurs: () => true, clock: { now: () => Date.now() }, log });
    drain.start();
    try {
      const some = firing();
      writeFileSync(join(path, `.tmp-${some.id}`), serializeFiring(some));
      renameSync(join(path, `.tmp-${some.id}`), join(path, `${some.id}.json`));
      writeFileSync(join(path, 'broken.json'), '{');
      await until(() => store.get(keys.firing(some.id)), 'the firing');
      await until(() => existsSync(join(path, 'rejected', 'broken.json.reason')), 'the broken file');
      await until(() => readdirSync(path).join() === 'rejected', 'an empty spool');
      await until(() => drain.state.waiting === 0, 'the drain to know');
    } finally {
      await drain.stop();
    }
  });
});
