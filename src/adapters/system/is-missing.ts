/** Whether a file, a folder on the way to it, or the process that it is about, is not there. */
export const isMissing = (thrown: unknown): boolean =>
  thrown instanceof Error && 'code' in thrown && missing.has(thrown.code);

const missing: ReadonlySet<unknown> = new Set(['ENOENT', 'ENOTDIR', 'ESRCH']);
