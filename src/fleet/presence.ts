export interface Presence {
  /** Writes the value again, soon. */
  refresh(): void;
  close(): Promise<void>;
}
