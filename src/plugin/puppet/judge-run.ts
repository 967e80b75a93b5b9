/** What the end of a Puppet run means: its exit code, and its report, which knows better where there is one. Pure. */
import type { JobResult } from '../../domain/result.ts';
import type { FoundFacts, PuppetRunFacts } from './run-report.ts';

/**
 * The result. Where a wrapper or a shell has swallowed Puppet's exit code, the one that Puppet has with `--detailed-exitcodes` stands
 * for it. `errorLine` is the first error of the output.
 */
export const judgeRun = (plain: JobResult, found: FoundFacts | null, errorLine: string | null): JobResult => {
  const facts = found?.kind === 'found' ? found.facts : null;
  const reason = facts?.error ?? errorLine;
  if (plain.kind === 'succeeded' && facts?.status === 'failed') {
    const exitCode = exitCodeOf(facts);
    const said = `exit ${plain.exitCode}, but Puppet’s report says that the run failed`;
    return { kind: 'failed', exitCode, reason: reason === null ? said : `${said}: ${reason}` };
  }
  if (plain.kind !== 'failed' || plain.reason !== undefined || reason === null) return plain;
  return { ...plain, reason };
};

const exitCodeOf = ({ changed }: PuppetRunFacts): number => ((changed ?? 0) > 0 ? 6 : 4);
