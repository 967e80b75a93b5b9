import { execa } from 'execa';

/**
 * Tells systemd about the daemon's state. Node has no datagram sockets, so `systemd-notify` does it; without
 * `$NOTIFY_SOCKET` (not started by systemd) this does nothing. A failure is reported, never thrown: the daemon continues.
 */
export const createNotifier = (env: NodeJS.ProcessEnv, onProblem: (message: string) => void) => {
  const socket = env['NOTIFY_SOCKET'];
  return async (...states: readonly string[]): Promise<void> => {
    if (socket === undefined) return;
    const args = [`--pid=${process.pid}`, ...states];
    const sent = await execa('systemd-notify', args, { env: { NOTIFY_SOCKET: socket }, reject: false, timeout: 5_000 });
    if (sent.failed) onProblem(`systemd-notify: ${sent.shortMessage ?? 'failed'}`);
  };
};

export type Notifier = ReturnType<typeof createNotifier>;
