/**
 * Writes to trigger files, with the services away, against a bare fuse-native file system that drops the data: 120 bytes
 * by one writer and by sixteen, durable and not, and 1 MiB. Mount, daemon and writers are processes of their own. What is
 * durable stands also beside what this disk takes at most: bare commits of as many bytes to a SQLite database.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { until } from '../spec/support/wait.ts';
import type { Bench } from './support/bench.ts';
import { startWriter } from './support/file-writer.ts';
import type { Aim, Row, Unit } from './support/row.ts';
import { interleave, median, summarize, timed } from './support/samples.ts';

const rounds = 5;
const writers = 16;
const small = { bytes: 120, count: 1_600 };
const large = { bytes: 1_048_576, count: 24 };

export const fileWrites = async (bench: Bench): Promise<Row[]> => {
  const ours = await mounted(bench, 'file-host', 'ours', 'bench/durable');
  const bare = await mounted(bench, 'bare-fuse', 'bare', 'file');
  const all = await Promise.all(Array.from({ length: writers }, () => startWriter(bench)));
  const [one] = all;
  if (one === undefined) throw new Error('no writer');
  const alone = (path: string, job: typeof small) => async () =>
    (job.count * 1_000) / (await one.write({ path, ...job }));
  const together = (pathOf: (writer: number) => string) => async () => {
    const job = { ...small, count: small.count / writers };
    const ended = await Promise.all(all.map((writer, at) => writer.write({ path: pathOf(at), ...job })));
    return (small.count * 1_000) / Math.max(...ended);
  };
  const committing = bareCommits(bench);
  const rates = await interleave(rounds, 1, {
    one: alone(join(ours, 'bench/durable'), small),
    quick: alone(join(ours, 'bench/quick'), small),
    bareOne: alone(join(bare, 'file'), small),
    sixteen: together(() => join(ours, 'bench/durable')),
    sixteenFiles: together((at) => join(ours, `bench/durable${at}`)),
    bareSixteen: together(() => join(bare, 'file')),
    large: alone(join(ours, 'bench/durable'), large),
    largeQuick: alone(join(ours, 'bench/quick'), large),
    bareLarge: alone(join(bare, 'file'), large),
    commit: committing(small),
    commitLarge: committing(large),
  });
  const row = (
    figure: string,
    unit: Unit,
    mine: keyof typeof rates,
    peer: keyof typeof rates,
    aim: Aim | null,
  ): Row => {
    const [own, theirs] = [rates[mine] ?? [], rates[peer] ?? []];
    const samples = { ours: summarize(own), bare: summarize(theirs) };
    const name = peer === 'commit' || peer === 'commitLarge' ? 'bare commit' : 'bare fuse-native';
    return { figure, unit, ours: median(own), peer: { name, value: median(theirs) }, aim, samples };
  };
  const many = { of: 'ours', at: 'least', bound: 5_000 } as const;
  return [
    row('120 B, durable, one writer', 'writes/s', 'one', 'bareOne', many),
    row('', 'writes/s', 'one', 'commit', null),
    row('120 B, durable, 16 writers', 'writes/s', 'sixteen', 'bareSixteen', many),
    row('120 B, durable, 16 writers, 16 files', 'writes/s', 'sixteenFiles', 'bareSixteen', many),
    row('120 B, not durable, one writer', 'writes/s', 'quick', 'bareOne', { of: 'ratio', at: 'least', bound: 0.8 }),
    row('1 MiB, durable', 'MB/s', 'large', 'bareLarge', { of: 'ratio', at: 'least', bound: 0.5 }),
    row('', 'MB/s', 'large', 'commitLarge', null),
    row('1 MiB, not durable', 'MB/s', 'largeQuick', 'bareLarge', { of: 'ratio', at: 'least', bound: 0.5 }),
  ];
};

/** Inserts of one row each, with the journal's settings, and nothing else. */
const bareCommits = (bench: Bench) => {
  const db = new Database(join(bench.dir, 'bare.db'));
  bench.onEnd(() => db.close());
  for (const setting of ['locking_mode = EXCLUSIVE', 'journal_mode = WAL', 'synchronous = FULL']) db.pragma(setting);
  db.exec('CREATE TABLE rows (payload BLOB)');
  const insert = db.prepare('INSERT INTO rows VALUES (?)');
  return ({ bytes, count }: typeof small) =>
    async () => {
      const payload = Buffer.alloc(bytes, 'x');
      const totalMs = await timed(() => {
        for (let i = 0; i < count; i++) insert.run(payload);
      });
      return (count * 1_000) / totalMs;
    };
};

const mounted = async (bench: Bench, program: string, name: string, file: string): Promise<string> => {
  const mountpoint = join(bench.dir, name);
  mkdirSync(mountpoint);
  const script = join(import.meta.dirname, 'peers', `${program}.mjs`);
  const child = spawn(process.execPath, [script, mountpoint, join(bench.dir, 'state')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  bench.onEnd(async () => {
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    await gone;
  });
  await once(child.stdout, 'data');
  await until(
    () =>
      access(join(mountpoint, file)).then(
        () => true,
        () => false,
      ),
    name,
  );
  return mountpoint;
};
