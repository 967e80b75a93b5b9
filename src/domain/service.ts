/** How a service gives a request to its workers: to the next with a free slot, to all in turn, to all at once. */
export type Algorithm = 'roundrobin' | 'serial' | 'mirror';

/** Whether a request whose worker was lost is given to another one although it may have started. */
export type Retry = 'if-unstarted' | 'always';

/** Who may use what: its owner, every member of its team, every user of the installation. */
export type Visibility = 'local' | 'team' | 'public';

/** A service as the broker has to know it; the registry keeps it current, so each look is a look at this moment. */
export interface ServiceView {
  readonly team: string;
  readonly name: string;
  readonly algorithm: Algorithm;
  readonly retry: Retry;
  /** Null: the request's own, else the broker's default. */
  readonly timeoutMs: number | null;
  /** Identities in the order of their attachment. Of a worker's own service: itself. */
  readonly workers: readonly string[];
  /** It is a worker under its own identity, which has no algorithm. */
  readonly isWorker: boolean;
}
