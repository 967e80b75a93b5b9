/** Entry of `bin/trigger`. */
import { logProcessWarnings } from '../adapters/log/process-warnings.ts';
import { runTrigger } from '../cli/run.ts';
import { watchForInterruption } from '../cli/support/interruption.ts';
import { leave } from '../cli/support/leave.ts';
import { silentLog } from '../kit/log.ts';

/** A warning of Node.js is for people, too. */
const logToStderr = {
  ...silentLog,
  warn: (_: object, message: string) => void process.stderr.write(`trigger: warning: ${message}\n`),
};

logProcessWarnings(logToStderr);
await leave(await runTrigger(process.argv.slice(2), watchForInterruption()));
