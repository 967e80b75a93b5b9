import { logProcessWarnings } from '../../adapters/log/process-warnings.ts';
import { silentLog } from '../../kit/log.ts';
import { visible } from '../../kit/text.ts';

/** From now on a warning of Node.js is said as this program says its own. `say` writes a line to stderr. */
export const sayProcessWarnings = (program: string, say: (text: string) => void): void =>
  logProcessWarnings({
    ...silentLog,
    warn: (_: object, message: string) => say(`${program}: warning: ${visible(message)}\n`),
  });
