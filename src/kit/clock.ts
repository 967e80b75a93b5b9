export interface Clock {
  /** ms since the epoch. */
  now(): number;
}
