import type { OutputLine } from '../../bus/client/lines.ts';
import type { Outcome, RequestLeg, RequestResult } from '../../client/client.ts';
import type { TriggerdError } from '../../domain/errors.ts';
import type { Algorithm } from '../../domain/service.ts';
import { formatElapsed } from '../../kit/elapsed.ts';
import { jsonText } from '../../kit/json-text.ts';
import { visible } from '../../kit/text.ts';
import { textOrBase64 } from '../../kit/text-or-bytes.ts';

/** What the user sees of a request, in this order: begun, lines, ended. */
export interface RequestPrinter {
  begun(begun: { readonly id: string; readonly algorithm: Algorithm | null }): Promise<void>;
  /** Lines that came together. */
  lines(lines: readonly OutputLine[]): Promise<void>;
  /** A line whose newline has not come: a prompt, or progress. Its rest comes as the next line of this worker and stream. */
  begunLine?(line: OutputLine): Promise<void>;
  ended(result: RequestResult, facts: EndFacts): Promise<void>;
  /** Instead of an end: why nothing more will come. */
  failed(error: TriggerdError): Promise<void>;
}

export interface EndFacts {
  readonly exitCode: number;
  readonly messages: number;
  readonly ranNs: bigint;
  /** How it ended at how many workers, where not all are shown. */
  readonly summary?: string | undefined;
}

export interface TextPrinterOptions {
  readonly service: string;
  readonly plugin: string;
  /** Where the output goes, by its stream, and where what is said about it. */
  readonly write: Readonly<Record<'out' | 'err' | 'about', (text: string | Uint8Array) => Promise<void>>>;
}

/** As triggerFS' documentation shows it. */
export const textPrinter = ({ service, plugin, write }: TextPrinterOptions): RequestPrinter => {
  /** Whose line stands there without its newline. */
  let begun: OutputLine | undefined;
  const beginOf = (line: OutputLine): readonly Buffer[] => {
    const isRest = begun !== undefined && isSameLine(begun, line);
    const end = begun === undefined || isRest ? [] : [newline];
    begun = undefined;
    return isRest ? [] : [...end, prefixOf(plugin, line)];
  };
  return {
    begun: ({ algorithm }) => {
      const by = algorithm === null ? '' : ` (${algorithm})`;
      return write.about(`${timestamp(new Date())} Sending message to service ${visible(service)}${by}\n`);
    },
    lines: async (lines) => {
      for (const stream of ['out', 'err'] as const) {
        const parts = lines
          .filter((line) => line.stream === stream)
          .flatMap((line) => [...beginOf(line), line.bytes, newline]);
        if (parts.length > 0) await write[stream](Buffer.concat(parts));
      }
    },
    begunLine: async (line) => {
      const bytes = Buffer.concat([...beginOf(line), line.bytes]);
      begun = line;
      await write[line.stream](bytes);
    },
    ended: async (_result, { exitCode, messages, ranNs, summary }) => {
      if (begun !== undefined) await write[begun.stream](newline);
      const ran = formatElapsed(ranNs);
      const sum = summary === undefined ? '' : `${summary}\n`;
      await write.about(`\n${sum}Exit code: ${exitCode}\nTotal messages: ${messages}\nTime ran: ${ran}\n\n`);
    },
    failed: async () => {
      if (begun !== undefined) await write[begun.stream](newline);
    },
  };
};

const isSameLine = (one: OutputLine, other: OutputLine): boolean =>
  one.worker === other.worker && one.stream === other.stream;

const newline = Buffer.from('\n');
const prefixOf = (plugin: string, { worker }: OutputLine): Buffer => Buffer.from(`[${plugin}@${visible(worker)}] `);

/** `2018/04/30 21:14:06`, local time. */
const timestamp = (at: Date): string => {
  const two = (number: number): string => String(number).padStart(2, '0');
  const day = `${at.getFullYear()}/${two(at.getMonth() + 1)}/${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
};

interface JsonPrinterOptions {
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
