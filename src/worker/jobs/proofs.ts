import type { RequestRun } from '../../domain/request.ts';

/**
 * What jobs of requests that run may ask others with, in memory only: a journal is copied, shown and kept for months. A
 * job that is not here any more (of an earlier daemon, or run again by hand) has none.
 */
export interface RequestProofs {
  keep(run: RequestRun, proof: string): void;
  of(run: RequestRun): string | undefined;
  drop(run: RequestRun): void;
}

export const createRequestProofs = (): RequestProofs => {
  const byRun = new Map<string, string>();
  return {
    keep: (run, proof) => void byRun.set(keyOf(run), proof),
    of: (run) => byRun.get(keyOf(run)),
    drop: (run) => void byRun.delete(keyOf(run)),
  };
};

const keyOf = ({ id, worker, user }: RequestRun): string => `${worker}/${user}/${id}`;
