/**
 * Headers as they travel. One function per direction, so that nobody says what the other side does not know. The frame is
 * given as a string: the socket writes it without a detour over a buffer.
 */
import type { ErrorCode } from '../../domain/errors.ts';
import type { ClientMessage, ToClient, ToWorker, WorkerMessage } from '../messages.ts';

export const encodeFromClient = (head: ClientMessage): string => JSON.stringify(head);
export const encodeFromWorker = (head: WorkerMessage): string => JSON.stringify(head);
export const encodeToClient = (head: ToClient): string =>
  JSON.stringify(head.op === 'refused' ? { ...head, ...codesFor(head.code) } : head);
export const encodeToWorker = (head: ToWorker): string => JSON.stringify(head);

/**
 * A peer of an earlier release takes a message with a code that it does not know for none at all, and waits. So it gets
 * the nearest code of the first release in `code`; whoever knows the new one reads `precise`.
 */
const codesFor = (code: ErrorCode): { readonly code: ErrorCode; readonly precise?: ErrorCode } => {
  const first = nearestOfFirstRelease[code];
  return first === undefined ? { code } : { code: first, precise: code };
};

const nearestOfFirstRelease: Partial<Readonly<Record<ErrorCode, ErrorCode>>> = {
  'etcd-certificate': 'etcd-unreachable',
  'etcd-client-certificate': 'etcd-unreachable',
  'etcd-wants-http': 'etcd-unreachable',
  'etcd-wants-tls': 'etcd-unreachable',
  'etcd-open': 'etcd-refused',
  'folder-gone': 'internal',
  'node-name-taken': 'internal',
  'output-failed': 'internal',
  'proof-invalid': 'request-invalid',
  'proof-missing': 'request-invalid',
  'proof-unsupported': 'request-invalid',
  'puppet-file-unsafe': 'internal',
  'puppet-silent': 'internal',
  'puppet-unsafe': 'internal',
  'registry-full': 'registry-denied',
  'text-not-utf8': 'request-invalid',
  'too-many-changes': 'too-many-attempts',
  'team-full': 'registry-denied',
  'etcd-nearly-full': 'etcd-no-space',
};

export const noBody: Buffer = Buffer.alloc(0);
