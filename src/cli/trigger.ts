/** Entry of `bin/trigger`. */
import { watchForInterruption } from './interruption.ts';
import { leave } from './leave.ts';
import { runTrigger } from './run.ts';

await leave(await runTrigger(process.argv.slice(2), watchForInterruption()));
