import type { FinishedJob, JobId, SkippedJob } from '../../domain/job.ts';
import type { Log } from '../../kit/log.ts';
import type { LoggedRequest } from '../../queue/ports/journal.ts';
import type { OutputReading, OutputSink, OutputSummary } from '../../queue/ports/output-reader.ts';
import type { FinishedRequest, RequestListener } from '../request-jobs.ts';

/** One listener of one job. */
export interface Follower {
  /** Tells the listener nothing more. */
  stop(): void;
  /** Resolves when the listener has been told everything, or was stopped. */
  readonly over: Promise<void>;
}

/** What is followed: its output, and its end. */
export interface Followed {
  readonly id: JobId;
  read(sink: OutputSink): OutputReading;
  readonly over: Promise<FinishedJob | SkippedJob>;
}

/** Tells `listener` the output of the job from the first byte, and its end. */
export const followJob = (job: Followed, listener: RequestListener, log: Log): Follower => {
  let isStopped = false;
  const reading = job.read((piece) => listener.output(piece));
  const tell = async (): Promise<void> => {
    const ended = await job.over;
    if (isStopped) return;
    const output = await reading.finish().catch((thrown: unknown) => {
      log.error({ error: thrown, job: job.id }, 'Cannot read all output of a request');
      return nothing;
    });
    if (!isStopped) listener.ended(endingOf(ended, output));
  };
  return {
    stop: () => {
      isStopped = true;
      reading.stop();
    },
    over: tell().catch((thrown: unknown) =>
      log.error({ error: thrown, job: job.id }, 'Cannot follow a request to its end'),
    ),
  };
};

const endingOf = (job: FinishedJob | SkippedJob, output: OutputSummary): FinishedRequest => ({
  jobId: job.id,
  result: job.state === 'finished' ? job.result : { kind: 'interrupted', reason: job.reason },
  ranMs: job.state === 'finished' && job.startedAt !== null ? Math.round(job.times.realS * 1000) : null,
  outputBytes: output.bytes,
  outputTail: output.tail,
});

/** Tells the end of a forgotten job, which the request log remembers; its output is gone. */
export const recall = ({ jobId, ending }: LoggedRequest, listener: RequestListener): Follower => {
  let isStopped = false;
  const tell = async (): Promise<void> => {
    await Promise.resolve();
    if (!isStopped) await listener.output({ stream: 'err', bytes: outputIsGone });
    if (isStopped) return;
    const { result, times } = ending ?? neverEnded;
    const ranMs = Math.round(times.realS * 1000);
    listener.ended({ jobId, result, ranMs, outputBytes: outputIsGone.length, outputTail: outputIsGone });
  };
  return {
    stop: () => {
      isStopped = true;
    },
    over: tell(),
  };
};

const outputIsGone = Buffer.from('[triggerd: the output is not kept any more]\n');
const neverEnded: Pick<FinishedJob, 'result' | 'times'> = {
  result: { kind: 'interrupted', reason: 'The result of the job is not known.' },
  times: { realS: 0, userS: 0, systemS: 0 },
};
const nothing: OutputSummary = { bytes: 0, tail: Buffer.alloc(0) };
