import type { Dealer, Reply, Router } from 'zeromq';

/** After so long without a pause, other work of the process gets its turn. ms. */
const maxStretchMs = 20;

/**
 * Gives every multipart of a socket to `onFrames`, until the socket is closed. libzmq answers reads at once while it has
 * something, so that a busy socket would keep timers and other sockets waiting: hence the pauses.
 */
export const receiveLoop = async (
  socket: Dealer | Reply | Router,
  onFrames: (frames: Buffer[]) => void | Promise<void>,
): Promise<void> => {
  let pausedAt = performance.now();
  while (!socket.closed) {
    const frames = await receive(socket);
    if (frames === undefined) return;
    await onFrames(frames);
    const now = performance.now();
    if (now - pausedAt < maxStretchMs) continue;
    await new Promise((resolve) => setImmediate(resolve));
    pausedAt = performance.now();
  }
};

const receive = async (socket: Dealer | Reply | Router): Promise<Buffer[] | undefined> => {
  try {
    return await socket.receive();
  } catch (error) {
    if (socket.closed) return undefined;
    throw error;
  }
};
