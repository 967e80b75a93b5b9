/** A request to many of which only a part is shown: what a worker wrote is held until it is known how it ended there. */
import { LineSplitter } from '../../bus/client/lines.ts';
import { untoldOutcome } from '../../bus/client/outcome.ts';
import type { RequestLeg, RequestResult, RunningRequest } from '../../client/client.ts';
import { asTriggerdError } from '../../domain/errors.ts';
import { visible } from '../../kit/text.ts';
import { summarizeWords } from '../render/outcome.ts';
import { type Progress, startProgress } from '../support/progress.ts';
import { type Condition, onlyFailures, type Showing } from '../support/reply-filter.ts';
import type { Terminal } from '../support/terminal.ts';
import { noteOf } from './exit-code.ts';
import { HeldOutput } from './held-output.ts';
import { legView, type RequestPrinter } from './printer.ts';

export interface RepliesShown extends Showing {
  /** `--filter-replies`. */
  readonly filter: Condition | undefined;
}

/** Whether a worker is shown; undefined: all are, as it comes. `workers`: how many there are; null: one, or unknown. */
export const choiceOf = (
  shown: RepliesShown | undefined,
  workers: number | null,
): Condition<RequestLeg> | undefined => {
  if (shown === undefined) return undefined;
  const { filter } = shown;
  if (filter !== undefined) return (leg) => filter(legView(leg));
  return onlyFailures(shown, workers ?? 1) ? hasFailed : undefined;
};

const hasFailed: Condition<RequestLeg> = ({ result }) => result !== 'succeeded';

export interface Replies extends LiveNotes {
  readonly printer: RequestPrinter;
  readonly isShown: Condition<RequestLeg>;
  readonly workers: number | null;
}

/** The result has only those that are shown. Throws what kept the request from being answered. */
export const printReplies = async (
  request: RunningRequest,
  replies: Replies,
): Promise<{ messages: number; result: RequestResult; summary: string }> => {
  const following = new Following(replies);
  const progress = replies.progress((elapsedS) => following.describe(elapsedS));
  try {
    await following.follow(request, progress);
    const result = await request.result;
    progress.stop();
    const { isShown } = replies;
    const summary = summarizeWords(result.legs.map((leg) => leg.result));
    return { messages: following.messages, result: { ...result, legs: result.legs.filter(isShown) }, summary };
  } catch (error) {
    progress.stop();
    await following.showLost(asTriggerdError(error).message);
    throw error;
  }
};

class Following {
  readonly #replies: Replies;
  readonly #splitter = new LineSplitter();
  readonly #held: HeldOutput;
  readonly #ended = new Map<string, RequestLeg>();
  messages = 0;

  constructor(replies: Replies) {
    this.#replies = replies;
    this.#held = new HeldOutput(replies.workers ?? 1);
  }

  async follow(request: RunningRequest, progress: Progress): Promise<void> {
    for await (const part of request.parts) {
      if ('bytes' in part) this.#hold(this.#splitter.take(part));
      // A broker that has taken over tells of all ends again.
      else if (!this.#ended.has(part.worker)) {
        this.#ended.set(part.worker, part);
        this.#hold(this.#splitter.rest(part.worker));
        progress.clear();
        await this.#show(part);
      }
    }
  }

  /** Nobody will tell how it ended at those that have written something. */
  async showLost(why: string): Promise<void> {
    for (const worker of this.#held.workers()) {
      this.#hold(this.#splitter.rest(worker));
      await this.#show({ worker, ...untoldOutcome('lost', why) });
    }
  }

  /** `37/120 ended · 2 failed · 4 s`. */
  describe(elapsedS: number): string {
    const ended = [...this.#ended.values()];
    const failed = ended.filter(hasFailed).length;
    const { workers } = this.#replies;
    const far = workers === null ? `${ended.length} ended` : `${ended.length}/${workers} ended`;
    return [far, ...(failed === 0 ? [] : [`${failed} failed`]), `${elapsedS} s`].join(' · ');
  }

  #hold(lines: Iterable<Parameters<HeldOutput['add']>[0]>): void {
    for (const line of lines) {
      this.messages += 1;
      this.#held.add(line);
    }
  }

  async #show(leg: RequestLeg): Promise<void> {
    const { isShown, printer, note } = this.#replies;
    const { lines, leftOut } = this.#held.take(leg.worker);
    if (!isShown(leg)) return;
    const worker = visible(leg.worker);
    if (leftOut > 0) note(`${worker}: ${leftOut} earlier lines of its output were not kept`);
    if (lines.length > 0) await printer.lines(lines);
    const how = howItEnded(leg);
    // Who has nothing else to show is at least named.
    if (how !== undefined || lines.length === 0) note(`${worker}: ${visible(how ?? leg.result)}`);
  }
}

const howItEnded = (leg: RequestLeg): string | undefined =>
  noteOf(leg) ?? (leg.exitCode === null || leg.exitCode === 0 ? undefined : `exit code ${leg.exitCode}`);

export interface LiveNotes {
  /** Says something to the person who asked, on a line of its own. */
  readonly note: (text: string) => void;
  /** Shows how far it is, from now on. */
  readonly progress: (describe: (elapsedS: number) => string) => Progress;
}

/** What is said while a line on the terminal shows how far it is: that line makes way. */
export const liveNotes = (terminal: Terminal, say: (text: string) => void): LiveNotes => {
  let progress: Progress | undefined;
  return {
    note: (text) => {
      progress?.clear();
      say(text);
    },
    progress: (describe) => {
      progress = startProgress(terminal, describe);
      return progress;
    },
  };
};
