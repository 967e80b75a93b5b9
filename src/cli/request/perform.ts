/** A request from the command line: asked, printed as it goes, and an exit code made of its end. */

import { LineSplitter } from '../../bus/client/lines.ts';
import {
  type Accepted,
  Client,
  type ConnectOptions,
  type RequestOptions,
  type RequestResult,
  type RunningRequest,
} from '../../client/client.ts';
import { asTriggerdError } from '../../domain/errors.ts';
import { onAbort } from '../../kit/on-abort.ts';
import { visible } from '../../kit/text.ts';
import { Interrupted } from '../support/interruption.ts';
import type { Progress } from '../support/progress.ts';
import { exitCodeOfOutcome, noteOf } from './exit-code.ts';
import { pause, withPauses } from './pauses.ts';
import { choiceOf, type LiveNotes, printReplies, type RepliesShown } from './print-replies.ts';
import type { RequestPrinter } from './printer.ts';

export interface ServiceRequest {
  readonly connect: ConnectOptions;
  readonly order: RequestOptions;
  readonly printer: RequestPrinter;
  readonly note: LiveNotes['note'];
  /** Where only a part is shown. */
  readonly progress?: LiveNotes['progress'];
  /** Which workers are shown; undefined: all of them. */
  readonly replies?: RepliesShown;
  /** Ends the job on its worker; before a broker is there, the whole thing. */
  readonly interrupt: AbortSignal;
}

/** Connects, asks, prints. Throws what kept it from being answered, and `Interrupted`. */
export const askService = async (asked: ServiceRequest): Promise<number> => {
  const { note, interrupt } = asked;
  const onBrokerLost = (why: string): void => note(`${why}; looking for another one`);
  const client = await connectUnlessInterrupted({ ...asked.connect, onBrokerLost }, interrupt);
  const off = onAbort(interrupt, () => note('ending the job on its worker; Ctrl-C again leaves at once'));
  try {
    return await perform(client, asked);
  } finally {
    off();
    await client.close();
  }
};

/** Throws as `Client.connect` does, and `Interrupted`. */
export const connectUnlessInterrupted = async (options: ConnectOptions, interrupt: AbortSignal): Promise<Client> => {
  try {
    return await Client.connect({ ...options, signal: interrupt });
  } catch (error) {
    throw interrupt.aborted ? new Interrupted() : error;
  }
};

/** Asks and prints; gives the exit code. Throws what kept it from being answered, or printed: then the job is ended, too. */
export const perform = async (client: Client, asked: Omit<ServiceRequest, 'connect'>): Promise<number> => {
  const { order, interrupt } = asked;
  const startedAt = process.hrtime.bigint();
  const unprintable = new AbortController();
  const request = client.request({ ...order, signal: AbortSignal.any([interrupt, unprintable.signal]) });
  const accepted = await request.accepted;
  try {
    return await print(request, accepted, asked, startedAt);
  } catch (error) {
    unprintable.abort();
    await request.result.catch(() => undefined);
    throw error;
  }
};

type Asked = Pick<ServiceRequest, 'printer' | 'note' | 'progress' | 'replies'>;

const print = async (request: RunningRequest, accepted: Accepted, asked: Asked, startedAt: bigint): Promise<number> => {
  const { printer, note } = asked;
  await printer.begun({ id: request.id, algorithm: accepted.algorithm });
  const { messages, result, summary } = await followToTheEnd(request, accepted, asked);
  const exitCode = exitCodeOfOutcome(result);
  await printer.ended(result, { exitCode, messages, ranNs: process.hrtime.bigint() - startedAt, summary });
  // Where only a part is shown, that part was told of as it came.
  if (summary === undefined) for (const text of notesOf(result)) note(text);
  return exitCode;
};

const followToTheEnd = async (
  request: RunningRequest,
  { algorithm, workers }: Accepted,
  { printer, note, progress = () => noProgress, replies }: Asked,
): Promise<{ messages: number; result: RequestResult; summary?: string }> => {
  const isShown = choiceOf(replies, workers);
  try {
    if (isShown !== undefined) return await printReplies(request, { printer, note, progress, isShown, workers });
    const messages = await printOutput(request, algorithm !== 'mirror', printer);
    return { messages, result: await request.result };
  } catch (error) {
    await printer.failed(asTriggerdError(error));
    throw error;
  }
};

const noProgress: Progress = { clear: () => undefined, stop: () => undefined };

/** A line that is not complete after so long is shown as it is: somebody waits for an answer, or shows how far it is. */
const begunLineMs = 200;

/** How many lines there were. */
const printOutput = async (
  request: RunningRequest,
  isOfOneWorker: boolean,
  printer: RequestPrinter,
): Promise<number> => {
  const splitter = new LineSplitter();
  let messages = 0;
  let isBegun = false;
  const print = async (lines: Parameters<RequestPrinter['lines']>[0]): Promise<void> => {
    messages += lines.length;
    if (lines.length === 0) return;
    isBegun = false;
    await printer.lines(lines);
  };
  const printBegun = async (): Promise<void> => {
    const line = splitter.begun();
    if (line === undefined) return;
    isBegun = true;
    await printer.begunLine?.(line);
  };
  const mayPrintBegun = isOfOneWorker && printer.begunLine !== undefined;
  for await (const chunk of mayPrintBegun ? withPauses(request.output, begunLineMs) : request.output)
    if (chunk === pause) await printBegun();
    else await print([...splitter.take(chunk)]);
  await print([...splitter.rest()]);
  return isBegun ? messages + 1 : messages;
};

/** What happened besides an exit code; of several workers also whose exit code it was. */
const notesOf = (result: RequestResult): string[] => {
  const { legs } = result;
  if (legs.length === 0) return [noteOf(result)].flatMap((text) => (text === undefined ? [] : [visible(text)]));
  return legs.flatMap((leg) => {
    const ownCode =
      legs.length > 1 && leg.exitCode !== null && leg.exitCode !== 0 ? `exit code ${leg.exitCode}` : undefined;
    const text = noteOf(leg) ?? ownCode;
    return text === undefined ? [] : [`${visible(leg.worker)}: ${visible(text)}`];
  });
};
