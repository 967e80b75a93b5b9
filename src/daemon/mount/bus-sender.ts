import type { RunningRequest } from '../../client/client.ts';
import { asTriggerdError, TriggerdError } from '../../domain/errors.ts';
import { tryAgainExitCode } from '../../domain/result.ts';
import type { Delivery, RequestSender } from '../../mount/delivery-ports.ts';
import type { BusConnection } from './bus-connection.ts';

/** What is kept of an output; the rest is read and forgotten. */
const maxOutputBytes = 1_048_576;

/** Requests of trigger files over the bus. */
export const createBusSender = (connection: BusConnection): RequestSender => ({
  send: async ({ id, definition, payload, resume, signal }) => {
    const { service, plugin, args, timeout_ms } = definition;
    if (service === null || plugin === null)
      return failed(new TriggerdError('request-invalid', `${definition.name} has no service or no plugin`));
    try {
      const client = await connection.client();
      const cancel = signal === undefined ? {} : { signal };
      const timeout = timeout_ms === null ? {} : { timeoutMs: timeout_ms };
      return await followed(client.request({ id, resume, service, plugin, args, payload, ...timeout, ...cancel }));
    } catch (error) {
      return failed(asTriggerdError(error));
    }
  },
});

const followed = async (request: RunningRequest): Promise<Delivery> => {
  const { output, worker } = await gather(request);
  const { result, exitCode, reason, legs } = await request.result;
  // Of several workers, others may have done it.
  const again = result === 'failed' && exitCode === tryAgainExitCode && legs.length <= 1;
  return {
    kind: 'ended',
    again,
    output: { request: request.id, endedAt: Date.now(), result, exitCode, reason, worker, output },
  };
};

const gather = async (request: RunningRequest): Promise<{ output: Buffer; worker: string | null }> => {
  const chunks: Uint8Array[] = [];
  const workers = new Set<string>();
  let room = maxOutputBytes;
  for await (const { bytes, worker } of request.output) {
    workers.add(worker);
    if (room > 0) chunks.push(bytes.subarray(0, room));
    room -= bytes.length;
  }
  const [only = null, ...others] = workers;
  return { output: Buffer.concat(chunks), worker: others.length === 0 ? only : null };
};

const failed = (error: TriggerdError): Delivery => ({ kind: 'failed', error });
