import type { Definition } from '../registry/model.ts';

/** Where the trigger has no timeout; the mount has to let its writer go some time. */
const defaultMs = 300_000;

/** How long a synchronous writer is kept. */
export const syncMs = ({ timeout_ms }: Definition): number => timeout_ms ?? defaultMs;
