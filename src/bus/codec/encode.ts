/**
 * Headers as they travel. One function per direction, so that nobody says what the other side does not know. The frame is
 * given as a string: the socket writes it without a detour over a buffer.
 */
import type { ClientMessage, ToClient, ToWorker, WorkerMessage } from '../messages.ts';

export const encodeFromClient = (head: ClientMessage): string => JSON.stringify(head);
export const encodeFromWorker = (head: WorkerMessage): string => JSON.stringify(head);
export const encodeToClient = (head: ToClient): string => JSON.stringify(head);
export const encodeToWorker = (head: ToWorker): string => JSON.stringify(head);

export const noBody: Buffer = Buffer.alloc(0);
