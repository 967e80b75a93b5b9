import { existsSync, readdirSync, readFileSync } from 'node:fs';

/**
 * Sends the signal, and waits until a SIGSTOP counts: `kill` returns before the threads of a process have stopped, and on a
 * busy machine they continue for a while. That holds up our event loop, so that nothing of the test comes between.
 */
export const signalProcess = (
  child: { readonly pid?: number | undefined; kill(name: NodeJS.Signals): boolean },
  name: NodeJS.Signals,
) => {
  const isThere = child.kill(name);
  if (name === 'SIGSTOP' && isThere && child.pid !== undefined) waitUntilStopped(child.pid);
};

const waitUntilStopped = (pid: number): void => {
  const endsAt = performance.now() + 60_000;
  while (!threadStates(pid).every((state) => state === 'T' || state === 'gone')) {
    if (performance.now() > endsAt) throw new Error(`process ${pid} does not stop: ${threadStates(pid).join('')}`);
  }
};

const threadStates = (pid: number): string[] =>
  readdirSync(`/proc/${pid}/task`).map((thread) => {
    const file = `/proc/${pid}/task/${thread}/stat`;
    try {
      const stat = readFileSync(file, 'latin1');
      return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
    } catch (thrown) {
      // It has ended since it was listed.
      if (existsSync(file)) throw thrown;
      return 'gone';
    }
  });
