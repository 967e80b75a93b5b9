import type { Outcome, RequestLeg } from '../../client/client.ts';

/** How it ended, as `--json` shows it. */
export const outcomeView = ({ result, exitCode, signal, reason, code, ranMs, outputBytes }: Outcome) => ({
  result,
  exit_code: exitCode,
  signal,
  reason,
  code,
  ran_ms: ranMs,
  output_bytes: outputBytes,
});

export const legView = ({ worker, ...outcome }: RequestLeg) => ({ worker, ...outcomeView(outcome) });
