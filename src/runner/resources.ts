import { closeSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { jobFile, type Order } from '../adapters/process/job-files.ts';
import { createOutputFile, type OutputFile } from '../adapters/process/output-file.ts';
import type { LaunchPlan } from '../queue/ports/runner.ts';
import type { Pipe } from './pipes.ts';
import { closeStreams, openInput, type Streams } from './start-process.ts';

/** Everything that a job needs from the system before it can be started. */
export interface Resources {
  readonly streams: Streams;
  readonly stdout: Pipe;
  readonly stderr: Pipe;
  readonly output: OutputFile;
  /** Where stderr goes; the same as `output` unless the plan keeps it apart. */
  readonly errors: OutputFile;
  /** Gives the context document its name, once the plan is ours. */
  nameContext(): void;
  /** Closes the ends of the streams that only the job needs. */
  closeStreams(): void;
  /** Gives everything back: the job is not started. */
  abandon(): void;
}

/**
 * Taken before the plan is claimed, so that what a full disk refuses is a job that never began. Another runner may have
 * claimed an attempt in this folder meanwhile: nothing here changes a file of that one. Throws with nothing left open.
 */
export const openResources = (order: Order, plan: LaunchPlan, openPipe: () => Pipe): Resources => {
  const { folder, token } = order;
  const context = `${folder}/context-${token}`;
  const proof = `${folder}/proof-${token}`;
  const undo: (() => unknown)[] = [];
  const abandon = (): void => {
    for (const step of undo.splice(0).reverse()) step();
  };
  const pipe = (): Pipe => {
    const opened = openPipe();
    undo.push(() => {
      closeSync(opened.writeFd);
      opened.release(true);
    });
    return opened;
  };
  const input = (): Streams['stdin'] => {
    const opened = openInput(order, plan);
    if (opened !== 'ignore') undo.push(() => closeSync(opened));
    return opened;
  };
  try {
    undo.push(() => rmSync(context, { force: true }));
    writeFileSync(context, plan.context, { mode: 0o600 });
    if (plan.proof !== undefined) {
      undo.push(() => rmSync(proof, { force: true }));
      writeFileSync(proof, plan.proof, { mode: 0o600 });
    }
    const [stdout, stderr] = [pipe(), pipe()];
    const streams = { stdin: input(), stdout: stdout.writeFd, stderr: stderr.writeFd };
    const output = createOutputFile(folder, plan.maxOutputBytes, 'output', plan.gzip);
    undo.push(() => output.close());
    const errors = plan.stderrApart ? createOutputFile(folder, plan.maxOutputBytes, 'output.err') : output;
    if (errors !== output) undo.push(() => errors.close());
    return {
      streams,
      stdout,
      stderr,
      output,
      errors,
      nameContext: () => {
        renameSync(context, jobFile(folder, 'context.json'));
        if (plan.proof !== undefined) renameSync(proof, jobFile(folder, 'proof'));
      },
      closeStreams: () => closeStreams(streams),
      abandon,
    };
  } catch (thrown) {
    abandon();
    throw thrown;
  }
};
