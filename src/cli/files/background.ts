import { spawn } from 'node:child_process';

/**
 * Starts the same command once more, in a session of its own, and waits until it is mounted. It writes to this terminal
 * until then, and afterwards only to its log file. Returns the exit code.
 */
export const goToBackground = (argv: readonly string[]): Promise<number> => {
  const child = spawn(process.execPath, [...process.execArgv, ...argv], {
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  return new Promise((resolve) => {
    child.once('message', () => {
      child.unref();
      child.disconnect();
      resolve(0);
    });
    child.once('error', () => resolve(1));
    child.once('exit', (code) => resolve(code ?? 1));
  });
};
