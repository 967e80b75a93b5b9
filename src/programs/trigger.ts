/** Entry of `bin/trigger`. */
import { runTrigger } from '../cli/run.ts';
import { watchForInterruption } from '../cli/support/interruption.ts';
import { leave } from '../cli/support/leave.ts';
import { sayProcessWarnings } from '../cli/support/say-warnings.ts';

sayProcessWarnings('trigger', (text) => void process.stderr.write(text));
await leave(await runTrigger(process.argv.slice(2), watchForInterruption()));
