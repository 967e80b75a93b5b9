import type { Job, JobId } from '../domain/job.ts';
import type { Log } from '../domain/log.ts';

export type JobListener = (job: Job) => void;

/** Tells whoever listens that a job has changed. What a listener throws is logged and costs nobody else anything. */
export interface Changes {
  announce(job: Job): void;
  /** Only those who follow this job. */
  tell(job: Job): void;
  onEvery(listener: JobListener): () => void;
  onJob(id: JobId, listener: JobListener): () => void;
}

export const createChanges = (log: Log): Changes => {
  const listeners = new Set<JobListener>();
  const byJob = new Map<JobId, Set<JobListener>>();
  const tell = (listener: JobListener, job: Job): void => {
    try {
      listener(job);
    } catch (thrown) {
      log.error({ error: thrown, job: job.id }, 'A listener failed on a change of a job.');
    }
  };
  return {
    announce: (job) => {
      for (const listener of [...listeners, ...(byJob.get(job.id) ?? [])]) tell(listener, job);
    },
    tell: (job) => {
      for (const listener of byJob.get(job.id) ?? []) tell(listener, job);
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
