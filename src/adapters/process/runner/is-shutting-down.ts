import { execFile } from 'node:child_process';

/** Whether systemd is taking this machine down; false where systemd is not, or does not answer. */
export const isShuttingDown = (): Promise<boolean> =>
  new Promise((resolve) => {
    // The exit code is 1 for everything but `running`.
    execFile('systemctl', ['is-system-running'], { timeout: 5_000 }, (_error, stdout) =>
      resolve(stdout.trim() === 'stopping'),
    );
  });
