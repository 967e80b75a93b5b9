import type { FinishedJob, Job, JobId } from '../domain/job.ts';
import type { Log } from '../kit/log.ts';

export type JobListener = (job: Job) => void;

/** Tells whoever listens that a job has changed. What a listener throws is logged and costs nobody else anything. */
export interface Changes {
  announce(job: Job): void;
  /** Of a request that ran in memory: told to those who follow it, and to those who want to know of all such. */
  recorded(job: FinishedJob): void;
  onRecorded(listener: (job: FinishedJob) => void): () => void;
  onEvery(listener: JobListener): () => void;
  onJob(id: JobId, listener: JobListener): () => void;
}

export const createChanges = (log: Log): Changes => {
  const listeners = new Set<JobListener>();
  const byJob = new Map<JobId, Set<JobListener>>();
  const recordedListeners = new Set<(job: FinishedJob) => void>();
  const tell = <J extends Job>(listener: (job: J) => void, job: J): void => {
    try {
      listener(job);
    } catch (thrown) {
      log.error({ error: thrown, job: job.id }, 'A listener failed on a change of a job');
    }
  };
  return {
    announce: (job) => {
      for (const listener of [...listeners, ...(byJob.get(job.id) ?? [])]) tell(listener, job);
    },
    recorded: (job) => {
      for (const listener of [...recordedListeners, ...(byJob.get(job.id) ?? [])]) tell(listener, job);
    },
    onRecorded: (listener) => {
      recordedListeners.add(listener);
      return () => recordedListeners.delete(listener);
    },
    onEvery: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onJob: (id, listener) => {
      const ofJob = byJob.get(id) ?? new Set();
      byJob.set(id, ofJob.add(listener));
      return () => {
        ofJob.delete(listener);
        if (ofJob.size === 0) byJob.delete(id);
      };
    },
  };
};
