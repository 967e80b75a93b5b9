import { type Context, createContext, Script } from 'node:vm';

/** A sane pattern needs microseconds; the daemon does nothing else meanwhile. */
const longestMs = 100;

let context: Context | undefined;
let script: Script | undefined;

/** On a busy machine a try may time out before it has begun. */
const maxTries = 20;

/**
 * Whether the whole value matches. Undefined when that can't be found out in time: a careless pattern, `(a+)+` say, takes
 * years for a value of 50 letters, and values come from the wire. The time is that of the processor: a machine that is
 * busy with other things refuses nobody.
 */
export const fitsPattern = (pattern: string, value: string): boolean | undefined => {
  const from = process.cpuUsage();
  for (let tries = 0; tries < maxTries; tries++) {
    const fits = tryToFit(pattern, value);
    if (fits !== undefined) return fits;
    const { user, system } = process.cpuUsage(from);
    if (user + system >= longestMs * 1000) return undefined;
  }
  return undefined;
};

/** Undefined when it took too long. V8 ends a regular expression only inside of a script. */
const tryToFit = (pattern: string, value: string): boolean | undefined => {
  context ??= createContext({});
  script ??= new Script('new RegExp(pattern, "u").test(value)');
  Object.assign(context, { pattern: `^(?:${pattern})$`, value });
  try {
    return Boolean(script.runInContext(context, { timeout: longestMs }));
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return undefined;
    throw thrown;
  }
};
