import type { Log, LogFields } from './log.ts';

/** So many subjects have lines of their own. */
const maxSubjects = 20;
const windowMs = 60_000;

interface Line {
  readonly fields: LogFields;
  readonly message: string;
}

/**
 * For log lines that somebody else can cause as often as they like: one for each subject and minute, 20 subjects at most.
 * What was left out is counted, and told when the minute has ended: by the next `warn`, or by `tick`.
 */
export class LimitedLog {
  readonly #log: Pick<Log, 'warn'>;
  readonly #now: () => number;
  readonly #subjects = new Map<string, { last: Line; suppressed: number }>();
  #others: { last: Line; suppressed: number } | undefined;
  #begun = Number.NEGATIVE_INFINITY;

  /** `now`: ms, of any clock. */
  constructor(log: Pick<Log, 'warn'>, now: () => number) {
    this.#log = log;
    this.#now = now;
  }

  /** `subject`: whom or what the line is about. */
  warn(subject: string, fields: LogFields, message: string): void {
    this.tick();
    const last = { fields, message };
    const known = this.#subjects.get(subject);
    if (known !== undefined) {
      known.last = last;
      known.suppressed++;
    } else if (this.#subjects.size < maxSubjects) {
      if (this.#subjects.size === 0) this.#begun = this.#now();
      this.#subjects.set(subject, { last, suppressed: 0 });
      this.#log.warn(fields, message);
    } else this.#others = { last, suppressed: (this.#others?.suppressed ?? 0) + 1 };
  }

  /** Tells of what was left out, once the minute has ended. */
  tick(): void {
    const now = this.#now();
    // A clock that was set back must not silence it.
    if (this.#subjects.size === 0 || (now - this.#begun < windowMs && now >= this.#begun)) return;
    const left = [...this.#subjects.values(), ...(this.#others === undefined ? [] : [this.#others])];
    this.#subjects.clear();
    this.#others = undefined;
    for (const { last, suppressed } of left)
      if (suppressed > 0) this.#log.warn({ ...last.fields, suppressed }, last.message);
  }
}
