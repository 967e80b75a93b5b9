/**
 * The runner: a small process that outlives the daemon and runs one job at a time.
 *
 *     node runner.js                    orders as JSON lines on stdin, answers on stdout; ends when stdin does
 *     node runner.js <folder> <token>     one job, in a cgroup of its own (a transient systemd unit)
 *
 * `--open-files=<n>` before these: the soft limit of open files that jobs get.
 *
 * It imports as little as it can: it is started often, and forking from a big process is slow. What it knows of a job
 * goes to the job's folder first and to the daemon second, which may be gone by then.
 */
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ownCgroup } from '../adapters/process/job-cgroup.ts';
import type { Answer, Order } from '../adapters/process/job-files.ts';
import { writeStatus } from '../adapters/process/write-status.ts';
import { closeInherited, lowerOpenFiles, splitOpenFiles } from '../adapters/system/inherited.ts';
import { isMissing } from '../adapters/system/is-missing.ts';
import { onLines } from '../kit/lines.ts';
import type { RunExit } from '../queue/ports/runner.ts';
import { isShuttingDown } from '../runner/is-shutting-down.ts';
import { createPipes } from '../runner/pipes.ts';
import { type JobRun, type RunTools, runJob } from '../runner/run-job.ts';
import { openScope } from '../runner/scope.ts';
import { openFields } from '../runner/shelter.ts';

let current: { readonly order: Order; readonly job: JobRun } | undefined;
let isDaemonGone = false;
/** Set by the first signal to this process. */
let shutdown: Promise<boolean> | undefined;

const perform = async (order: Order, tools: RunTools): Promise<void> => {
  const job = runJob(order, tools);
  current = { order, job };
  const result = await resultOf(job);
  if (result.ending !== null) await record(order, result.ending);
  current = undefined;
  answer({ token: order.token, ...result });
};

const resultOf = async (job: JobRun): Promise<Omit<Answer, 'token'>> => {
  try {
    return { ending: await job.ending };
  } catch (thrown) {
    return { ending: null, trouble: thrown instanceof Error ? thrown.message : String(thrown) };
  }
};

/**
 * What a shutdown ended did not end by itself: nothing is written, as if the power had failed, and the next daemon finds an
 * interrupted job.
 *
 * A full disk is no reason to forget how a job ended: a living daemon is told, the next one waits for the file.
 */
const record = async (order: Order, ending: RunExit): Promise<void> => {
  if (ending.cause === 'itself' && (await shutdown)) return;
  for (;;) {
    try {
      writeStatus(order, ending);
      return;
    } catch (thrown) {
      if (isMissing(thrown) || !isDaemonGone) return;
      complain(order.folder, thrown);
      await sleep(1000);
    }
  }
};

/** In a unit the exit code says that nothing was started, and systemd's journal why. */
const answer = (line: Answer): void => {
  if (line.trouble !== undefined) {
    process.exitCode = 75;
    process.stderr.write(`${line.trouble}\n`);
  }
  if (!isDaemonGone) process.stdout.write(`${JSON.stringify(line)}\n`);
};

/** Nobody reads this process's stderr. */
const complain = (folder: string, thrown: unknown): void => {
  try {
    appendFileSync(`${folder}/runner-error`, `${thrown instanceof Error ? thrown.stack : String(thrown)}\n`);
  } catch {
    // The folder is gone, too: nothing is left to tell.
  }
};

const complainOf = ({ folder }: Order, thrown: unknown): void => complain(folder, thrown);

/** The daemon sends an order only after it had the answer to the last one. */
const serve = (): void => {
  const onDaemonGone = (): void => {
    isDaemonGone = true;
  };
  process.stdin.once('end', onDaemonGone);
  process.stdout.once('error', onDaemonGone).on('error', () => undefined);
  const tools: RunTools = { openPipe: createPipes(), openShelter: openFields, complain: complainOf };
  onLines(process.stdin, (line) => void perform(JSON.parse(line) as Order, tools));
};

const performOne = async (order: Order): Promise<void> => {
  isDaemonGone = true;
  const cgroup = ownCgroup();
  process.on('SIGTERM', () => {
    shutdown ??= isShuttingDown();
  });
  // What is in the unit ends with this process.
  await perform(order, {
    openPipe: createPipes(),
    complain: complainOf,
    ...(cgroup && { cgroup, openShelter: openScope }),
  });
};

const main = async (): Promise<void> => {
  // Who stops the job's unit, or its session, signals every process of it: the job's end is still to be written down.
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, () => undefined);
  process.on('SIGUSR2', () => current?.job.checkKill());
  process.on('uncaughtException', (thrown) => {
    if (current !== undefined) complain(current.order.folder, thrown);
    process.exit(70);
  });
  closeInherited();
  const { openFiles, words } = splitOpenFiles(process.argv.slice(2));
  if (openFiles !== undefined) lowerOpenFiles(openFiles);
  const [folder, token] = words;
  if (folder === undefined || token === undefined) serve();
  else await performOne({ folder, token });
};

await main();
