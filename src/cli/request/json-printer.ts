import type { Outcome, RequestLeg } from '../../client/client.ts';
import { jsonText } from '../../kit/json-text.ts';
import { textOrBase64 } from '../../kit/text-or-bytes.ts';
import type { RequestPrinter } from './printer.ts';

export interface JsonPrinterOptions {
  readonly service: string;
  readonly plugin: string;
  readonly write: (text: string) => Promise<void>;
}

/** One JSON document, written as it comes: however long the output is, little of it is in memory. */
export const jsonPrinter = ({ service, plugin, write }: JsonPrinterOptions): RequestPrinter => {
  let separator = '\n';
  return {
    begun: ({ id, algorithm }) => {
      const head = jsonText({ id, service, plugin, algorithm });
      return write(`${head.slice(0, -1)},"output":[`);
    },
    lines: async (lines) => {
      let text = '';
      for (const { worker, stream, bytes } of lines) {
        text += `${separator}${jsonText({ worker, stream, ...textOrBase64('text', bytes) })}`;
        separator = ',\n';
      }
      await write(text);
    },
    ended: (result, { exitCode, messages, ranNs }) => {
      const tail = {
        ...outcomeView(result),
        exit: exitCode,
        messages,
        total_ms: Number(ranNs / 1_000n) / 1_000,
        legs: result.legs.map(legView),
      };
      return write(`\n],${jsonText(tail).slice(1)}\n`);
    },
    failed: ({ code, message }) => write(`\n],"error":${jsonText({ code, message })}}\n`),
  };
};

/** How it ended, as `--json` shows it. */
const outcomeView = ({ result, exitCode, signal, reason, code, ranMs, outputBytes }: Outcome) => ({
  result,
  exit_code: exitCode,
  signal,
  reason,
  code,
  ran_ms: ranMs,
  output_bytes: outputBytes,
});

export const legView = ({ worker, ...outcome }: RequestLeg) => ({ worker, ...outcomeView(outcome) });
