/**
 * `npm run bench [-- NAME …]`: our figures beside a peer's, measured side by side in one run. Prints a table and keeps the
 * run as JSON in `bench/results/`; `--tmp` keeps it in `bench/results/tmp/`, which git ignores.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { enqueue } from './enqueue.ts';
import { fanOut, largeFanOut } from './fan-out.ts';
import { fileSync } from './file-sync.ts';
import { fileWrites } from './file-writes.ts';
import { firingToStart } from './firing-to-start.ts';
import { idle } from './idle.ts';
import { journalCost } from './journal-cost.ts';
import { queueThroughput } from './queue-throughput.ts';
import { recovery } from './recovery.ts';
import { services } from './services.ts';
import { servicesExec } from './services-exec.ts';
import { servicesMany } from './services-many.ts';
import { servicesOutput } from './services-output.ts';
import { startUp } from './start-up.ts';
import { type Benchmark, runBenchmark } from './support/bench.ts';
import { collectFacts, type Facts } from './support/machine.ts';
import { isMet, type Row, ratioOf } from './support/row.ts';
import { renderTable } from './support/table.ts';

const benchmarks: Readonly<Record<string, Benchmark>> = {
  'firing-to-start': firingToStart,
  'fan-out': fanOut,
  'large-fan-out': largeFanOut,
  'queue-throughput': queueThroughput,
  enqueue,
  'journal-cost': journalCost,
  recovery,
  'start-up': startUp,
  idle,
  services,
  'services-exec': servicesExec,
  'services-many': servicesMany,
  'services-output': servicesOutput,
  'file-writes': fileWrites,
  'file-sync': fileSync,
};

const main = async (args: readonly string[]): Promise<number> => {
  const isTemporary = args.includes('--tmp');
  const names = args.filter((arg) => arg !== '--tmp');
  const unknown = names.filter((name) => !(name in benchmarks));
  if (unknown.length > 0) {
    console.error(`bench: no benchmark ${unknown.join(', ')}; there are ${Object.keys(benchmarks).join(', ')}`);
    return 2;
  }
  const interrupt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupt.abort());
  const facts = collectFacts();
  const rows: Row[] = [];
  for (const [name, benchmark] of Object.entries(benchmarks)) {
    if (names.length > 0 && !names.includes(name)) continue;
    if (process.stderr.isTTY) process.stderr.write(`${name} …\r`);
    rows.push(...(await runBenchmark(benchmark, interrupt.signal)));
  }
  console.log(`${headline(facts)}\n\n${renderTable(rows)}\n\nkept in ${keep(facts, rows, isTemporary)}`);
  return 0;
};

const headline = ({ machine, versions }: Facts): string =>
  `triggerd ${versions.triggerd} (${versions.commit}), Node ${versions.node}, etcd ${versions.etcd}, task-spooler ` +
  `${versions.taskSpooler}\n${machine.cores} × ${machine.cpu}, ${machine.memoryGb} GB, load ${machine.load.toFixed(1)}`;

const keep = (facts: Facts, rows: readonly Row[], isTemporary: boolean): string => {
  const folder = join(import.meta.dirname, 'results', isTemporary ? 'tmp' : '');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${facts.date.replaceAll(':', '-').slice(0, 19)}.json`);
  const judged = rows.map((row) => ({ ...row, ratio: ratioOf(row), met: isMet(row) }));
  writeFileSync(file, `${JSON.stringify({ ...facts, rows: judged }, null, 2)}\n`);
  return relative(process.cwd(), file);
};

process.exitCode = await main(process.argv.slice(2));
