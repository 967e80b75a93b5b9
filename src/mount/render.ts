import type { Definition } from '../registry/model.ts';
import type { TriggerCounts, TriggerOutput } from './delivery-ports.ts';

/** `.<name>.status`: one JSON object. Counts are of this node. */
export const renderStatus = (
  { name, service, plugin, framing, delivery }: Definition,
  counts: TriggerCounts | undefined,
  last: TriggerOutput | undefined,
): Buffer => {
  const { hits = 0, waiting = 0, dead = 0, reason = null } = counts ?? {};
  const status = {
    name,
    service,
    plugin,
    framing,
    delivery,
    hits,
    waiting,
    dead,
    dead_reason: reason,
    last: last ? lastOf(last) : null,
  };
  return Buffer.from(`${JSON.stringify(status, undefined, 2)}\n`);
};

/** `.<name>.log`: what came back, oldest first. */
export const renderLog = (newestFirst: readonly TriggerOutput[]): Buffer =>
  Buffer.concat(
    newestFirst.toReversed().flatMap((output) => [Buffer.from(`${headOf(output)}\n`), endedByNewline(output.output)]),
  );

const lastOf = ({ request, endedAt, result, exitCode, reason, output }: TriggerOutput) => ({
  request,
  ended_at: new Date(endedAt).toISOString(),
  result,
  exit_code: exitCode,
  reason,
  output_bytes: output.length,
});

const headOf = ({ request, endedAt, result, exitCode, reason }: TriggerOutput): string =>
  [`# ${new Date(endedAt).toISOString()} ${request} ${result}`, exitCode, reason]
    .filter((part) => part !== null)
    .join(' ');

const endedByNewline = (output: Buffer): Buffer =>
  output.length === 0 || output.at(-1) === 0x0a ? output : Buffer.concat([output, Buffer.from('\n')]);
