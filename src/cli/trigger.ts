/** Entry of `bin/trigger`. */
import { runTrigger } from './run.ts';
import { endQuietlyOnBrokenPipe } from './terminal.ts';

endQuietlyOnBrokenPipe();
process.exitCode = await runTrigger(process.argv.slice(2));
