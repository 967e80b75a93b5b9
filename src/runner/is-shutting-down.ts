import { execFile } from 'node:child_process';

const maxAttempts = 5;

/** Whether systemd is taking this machine down; false where systemd is not, or does not answer. */
export const isShuttingDown = async (): Promise<boolean> => {
  for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
    const state = await systemState();
    if (state !== 'cut off') return state === 'stopping';
  }
  return false;
};

/** systemd signals all processes of a unit until it finds no new one: who asks from inside is often hit as well. */
const systemState = (): Promise<string> =>
  new Promise((resolve) => {
    // The exit code is 1 for everything but `running`.
    execFile('systemctl', ['is-system-running'], { timeout: 5_000 }, (error, stdout) =>
      resolve(error?.signal ? 'cut off' : stdout.trim()),
    );
  });
