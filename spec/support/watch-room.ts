import { TriggerdError } from '../../src/domain/errors.ts';
import type { Firing, WholeFiring } from '../../src/domain/firing.ts';
import type { Job, JobId, JobRequest, QueuedJob } from '../../src/domain/job.ts';
import type { Intake } from '../../src/firings/ports.ts';
import type {
  Acceptance,
  Cursor,
  DecidedFiring,
  FiringLog,
  LoggedFiring,
  NewJob,
} from '../../src/queue/ports/journal.ts';
import { firing } from './firings.ts';
import { jobRequest } from './jobs.ts';

/** A journal's firings in memory, and an intake that makes one queued job of each. */
export class MemoryFirings implements FiringLog, Intake {
  readonly logged = new Map<string, LoggedFiring>();
  readonly jobs = new Map<JobId, Job>();
  /** Ids in the order in which they were taken, each time they were. */
  readonly taken: string[] = [];
  readonly #listeners = new Set<(job: Job) => void>();
  savedCursor: Cursor | undefined;
  /** When set, every write fails with it. */
  trouble: Error | undefined;
  /** A firing that the journal refuses, with whatever is to be written together with it. */
  unwritable: string | undefined;
  /** How many firings each transaction held. */
  readonly windows: number[] = [];
  onTaken: ((id: string) => void) | undefined;

  jobFor(request: JobRequest): NewJob {
    return { request, command: request.plugin, coalescingKey: null, at: 1_000 };
  }

  take(firings: readonly DecidedFiring[]): Acceptance[] {
    if (this.trouble) throw this.trouble;
    if (firings.some(({ firing }) => firing.id === this.unwritable)) throw new TriggerdError('journal-failed', 'no');
    this.windows.push(firings.length);
    return firings.map((decided) => this.#take(decided));
  }

  #take(decided: DecidedFiring): Acceptance {
    const { firing } = decided;
    const known = this.logged.get(firing.id);
    if (known) return { kind: 'known', logged: known };
    if ('refusal' in decided) {
      this.#log(firing, null, decided.refusal);
      return { kind: 'refused' };
    }
    const job = queuedJob(this.jobs.size + 1, decided.job.request, [firing.id]);
    this.#log(firing, job.id, null);
    this.jobs.set(job.id, job);
    return { kind: 'queued', job };
  }

  find(id: string): LoggedFiring | undefined {
    return this.logged.get(id);
  }

  ofJob(id: JobId): LoggedFiring[] {
    return [...this.logged.values()].filter((logged) => logged.jobId === id);
  }

  unsettledIds(): string[] {
    return [...this.logged.values()]
      .filter(({ published }) => !/^(finished|skipped)/.test(published ?? ''))
      .map(({ firing }) => firing.id);
  }

  markPublished(stages: Readonly<Record<string, string>>): void {
    if (this.trouble) throw this.trouble;
    for (const [id, published] of Object.entries(stages)) {
      const logged = this.logged.get(id);
      if (logged) this.logged.set(id, { ...logged, published });
    }
  }

  cursor(): Cursor | undefined {
    return this.savedCursor;
  }

  saveCursor(cursor: Cursor): void {
    this.savedCursor = cursor;
  }

  forgetBefore(): number {
    return 0;
  }

  forgottenUpTo(): string | null {
    return null;
  }

  get(id: JobId): Job {
    const job = this.jobs.get(id);
    if (job === undefined) throw new Error(`no job ${id}`);
    return job;
  }

  onChange(listener: (job: Job) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Puts a job and tells the listeners, as the queue does after each change. */
  change(job: Job): void {
    this.jobs.set(job.id, job);
    for (const listener of this.#listeners) listener(job);
  }

  /** Journals firings as accepted for one job. */
  acceptAll(firings: readonly Firing[], job: Job): void {
    for (const firing of firings) this.#log(firing, job.id, null);
    this.jobs.set(job.id, job);
  }

  #log(firing: Firing, jobId: JobId | null, refusal: string | null): void {
    this.logged.set(firing.id, { firing, receivedAt: Date.now(), jobId, refusal, published: null });
    this.taken.push(firing.id);
    this.onTaken?.(firing.id);
  }
}

export const queuedJob = (id: JobId, request: JobRequest, firings: readonly string[]): QueuedJob => ({
  id,
  request,
  command: request.plugin,
  firings,
  attempt: 0,
  folder: '/nowhere',
  enqueuedAt: 1_000,
  state: 'queued',
  deferral: null,
});

export const someRequest = jobRequest({ plugin: 'puppet', source: 'firing' });

let count = 0;
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** A new firing id, each one larger than the last. */
export const nextFiringId = (): string => {
  let rest = ++count;
  let tail = '';
  for (let place = 0; place < 6; place++) {
    tail = (alphabet[rest % 32] ?? '0') + tail;
    rest = Math.floor(rest / 32);
  }
  return `01K9ZQ4T5M8W3V6X7Y8Z${tail}`;
};

export const someFiring = (changes: Partial<WholeFiring> = {}): WholeFiring =>
  firing({ id: nextFiringId(), targets: ['lb01.example.com'], ...changes });
