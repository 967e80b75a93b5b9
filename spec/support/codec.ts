/** Messages to a broker as it reads them. */
import { clientReaders } from '../../src/bus/codec/from-client.ts';
import { workerReaders } from '../../src/bus/codec/from-worker.ts';
import { decodeWith } from '../../src/bus/codec/parse.ts';

export const decodeFromClient = (frame: Buffer) => decodeWith(clientReaders, frame);
export const decodeFromWorker = (frame: Buffer) => decodeWith(workerReaders, frame);
