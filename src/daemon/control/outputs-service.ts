import { Readable } from 'node:stream';
import { lengthOf, outputFile, placeOfLastLines, tailFile } from '../../adapters/files/tail-file.ts';
import type { Output, OutputOptions, Outputs } from '../../api/services/services.ts';
import { TriggerdError } from '../../domain/errors.ts';
import { hasEnded, type JobId } from '../../domain/job.ts';
import { unlessAborted } from '../../kit/unless-aborted.ts';
import type { Queues } from '../../queue/queues.ts';
import type { KeptOutput } from '../../queue/verbs/look.ts';

/** The output of jobs, from their files. */
export const createOutputsService = (queues: Pick<Queues, 'waitFor' | 'keptOutput'>): Outputs => ({
  open: async (job, options, signal) => {
    const kept = job.outputIn === undefined ? undefined : queues.keptOutput(job.id);
    if (kept !== undefined) return openKept(kept, options, signal);
    if (options.stream === 'err' && job.request.stderrApart !== true) throw notApart(job.id);
    const path = outputFile(job.folder, options.stream);
    const from = await firstByte(path, options);
    const ended = options.follow && !hasEnded(job) ? queues.waitFor(job.id, signal) : Promise.resolve();
    return { from, bytes: Readable.from(tailFile(path, { ended, signal, from })) };
  },
});

const notApart = (id: JobId): TriggerdError =>
  new TriggerdError('input-invalid', `job ${id} was added without --stderr: its output holds both streams`, {
    details: { id },
  });

/** Of a request that has no files: there is little of it, so it is given from where the caller wants it, in order. */
const openKept = async (kept: KeptOutput, options: OutputOptions, signal: AbortSignal): Promise<Output> => {
  const from = options.from ?? (await placeOfLastLinesIn(kept, options.lines));
  return { from, bytes: Readable.from(keptBytes(kept, from, options.follow, signal)) };
};

const placeOfLastLinesIn = async (kept: KeptOutput, lines: number | undefined): Promise<number> => {
  if (lines === undefined) return 0;
  const text = (await presentBytes(kept)).toString('latin1');
  if (lines === 0) return text.length;
  let at = text.length;
  for (let left = lines; left > 0 && at > 0; left -= 1) at = text.lastIndexOf('\n', at - 2) + 1;
  return at;
};

const presentBytes = async (kept: KeptOutput): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of keptBytes(kept, 0, false, never)) chunks.push(chunk);
  return Buffer.concat(chunks);
};

/** What a reader is given, as something to be iterated over: it gives the next piece when the last one was taken. */
async function* keptBytes(
  kept: KeptOutput,
  from: number,
  follow: boolean,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const pieces: { readonly bytes: Buffer; readonly taken: () => void }[] = [];
  let news = (): void => undefined;
  const reading = kept.read(
    ({ bytes }) =>
      new Promise((taken) => {
        pieces.push({ bytes, taken });
        news();
      }),
  );
  let isOver = false;
  let failure: unknown;
  const finish = async (): Promise<void> => {
    if (follow) await unlessAborted(kept.over, signal, () => undefined);
    if (!signal.aborted) await reading.finish();
  };
  finish()
    .catch((thrown: unknown) => {
      failure = thrown;
    })
    .finally(() => {
      isOver = true;
      news();
    });
  try {
    for (let skip = from; !signal.aborted; ) {
      const piece = pieces.shift();
      if (piece === undefined && failure !== undefined) throw failure;
      if (piece === undefined && isOver) return;
      if (piece === undefined) {
        await new Promise<void>((resolve) => {
          news = resolve;
          if (pieces.length > 0 || isOver) resolve();
        });
        continue;
      }
      const wanted = piece.bytes.subarray(Math.min(skip, piece.bytes.length));
      skip = Math.max(0, skip - piece.bytes.length);
      if (wanted.length > 0) yield wanted;
      piece.taken();
    }
  } finally {
    reading.stop();
  }
}

const never = new AbortController().signal;

/** A file that is shorter than what the caller has already is another one: begun anew. */
const firstByte = async (path: string, { from, lines }: OutputOptions): Promise<number> => {
  if (from !== undefined) return from <= (await lengthOf(path)) ? from : 0;
  return lines === undefined ? 0 : placeOfLastLines(path, lines);
};
