import { constants } from 'node:os';
import { type ErrorCode, TriggerdError } from '../domain/errors.ts';

export type ErrnoName = keyof typeof constants.errno;

/** A refusal in the kernel's terms; the message is for the log. */
export class FsError extends Error {
  override readonly name = 'FsError';
  readonly errno: ErrnoName;

  constructor(errno: ErrnoName, message: string, options?: ErrorOptions) {
    super(`${errno}: ${message}`, options);
    this.errno = errno;
  }
}

export const isErrnoName = (value: unknown): value is ErrnoName =>
  typeof value === 'string' && Object.hasOwn(constants.errno, value);

/** As FUSE answers it: negative. */
export const errnoNumber = (name: ErrnoName): number => -constants.errno[name];

/**
 * What a program is told for an error of the catalogue. EAGAIN is what may work later, EIO what nothing better is known
 * of; the daemon's log has the words.
 */
const errnos: Partial<Record<ErrorCode, ErrnoName>> = {
  'registry-invalid': 'EINVAL',
  'registry-not-found': 'ENOENT',
  'registry-exists': 'EEXIST',
  'registry-in-use': 'ENOTEMPTY',
  'registry-denied': 'EACCES',
  'registry-full': 'EDQUOT',
  'team-full': 'EDQUOT',
  'etcd-nearly-full': 'ENOSPC',
  'login-failed': 'EACCES',
  'token-invalid': 'EACCES',
  'service-not-found': 'EACCES',
  'plugin-not-allowed': 'EACCES',
  'request-too-large': 'EFBIG',
  'timed-out': 'ETIMEDOUT',
};

const isDiskFull = ({ code, details }: TriggerdError): boolean =>
  code === 'journal-failed' && details['sqlite'] === 'SQLITE_FULL';

export const errnoOf = (thrown: unknown): ErrnoName => {
  if (thrown instanceof FsError) return thrown.errno;
  if (!(thrown instanceof TriggerdError)) return 'EIO';
  if (isDiskFull(thrown)) return 'ENOSPC';
  return errnos[thrown.code] ?? (thrown.retryable ? 'EAGAIN' : 'EIO');
};
