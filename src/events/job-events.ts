import type { FiringId } from '../domain/firing.ts';
import type { Job, JobId } from '../domain/job.ts';
import { ownExitCode } from '../domain/result.ts';
import { cutReason, type JobEventFacts, type JobFacts } from './event.ts';

const maxFirings = 10;
const maxCommand = 200;

/** A change of a job → what happened, and when. */
export class JobEvents {
  readonly #triggerOf: (firing: FiringId) => string | undefined;
  /** Jobs that have been something else than queued, and have not ended: queued again, they are no new ones. */
  readonly #begun: Set<JobId>;

  /** `begun`: the jobs that run or are deferred at the start. */
  constructor(begun: Iterable<JobId>, triggerOf: (firing: FiringId) => string | undefined) {
    this.#begun = new Set(begun);
    this.#triggerOf = triggerOf;
  }

  of(job: Job, now: number): JobEventFacts & { readonly at: number } {
    const facts = this.#facts(job);
    const isBegun = this.#begun.has(job.id);
    switch (job.state) {
      case 'queued':
        if (job.deferral !== null) {
          this.#begun.add(job.id);
          const { reason, since } = job.deferral;
          return { at: since, kind: 'job.deferred', stage: 'deferred', ...facts, reason: cutReason(reason) };
        }
        return isBegun
          ? { at: now, kind: 'job.requeued', stage: 'queued', ...facts }
          : { at: job.enqueuedAt, kind: 'job.queued', stage: 'queued', ...facts };
      case 'running':
        this.#begun.add(job.id);
        return { at: job.startedAt, kind: 'job.started', stage: 'running', ...facts, attempt: job.attempt };
      case 'skipped':
        this.#begun.delete(job.id);
        return { at: job.finishedAt, kind: 'job.skipped', stage: 'skipped', ...facts, reason: cutReason(job.reason) };
      case 'finished':
        this.#begun.delete(job.id);
        return {
          at: job.finishedAt,
          kind: 'job.finished',
          stage: 'finished',
          ...facts,
          result: job.result.kind,
          exit_code: ownExitCode(job.result),
          reason: 'reason' in job.result ? cutReason(job.result.reason) : null,
          duration_ms: job.startedAt === null ? null : Math.round(job.times.realS * 1000),
        };
    }
  }

  #facts({ id, request, command, firings }: Job): JobFacts {
    const shown = firings.slice(0, maxFirings);
    return {
      job: id,
      queue: request.queue,
      plugin: request.plugin,
      source: request.source,
      label: request.label,
      command: command.length > maxCommand ? `${command.slice(0, maxCommand - 1)}…` : command,
      firings: shown,
      firings_total: firings.length,
      triggers: [...new Set(shown.flatMap((firing) => this.#triggerOf(firing) ?? []))],
    };
  }
}
