import { connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP proxy in this process, to break a network on purpose. */
export interface TcpProxy {
  readonly port: number;
  /** How many connections have been made through it. */
  readonly connections: number;
  /** Bytes that the server has sent since the last `cut`. */
  readonly received: number;
  /** Ends every connection with a reset. */
  cut(): void;
  /** Takes no new connections until `accept`. */
  refuse(): void;
  accept(): void;
  /** Holds everything back in both directions, as a frozen peer does; nothing is lost. */
  stall(): void;
  resume(): void;
  /** Throws away what goes in one direction. */
  drop(direction: 'to-server' | 'to-client' | 'nothing'): void;
  /** Called with the bytes of each piece that the server sends, before it is handed on. */
  onAnswer(listener: ((bytes: number) => void) | undefined): void;
  close(): Promise<void>;
}

export const startProxy = async (serverPort: number): Promise<TcpProxy> => {
  const pairs = new Set<readonly [Socket, Socket]>();
  const state = { connections: 0, received: 0, refusing: false, stalled: false, dropped: 'nothing' };
  let heard: ((bytes: number) => void) | undefined;

  const server: Server = createServer({ noDelay: true }, (client) => {
    if (state.refusing) return void client.resetAndDestroy();
    state.connections++;
    const upstream = connect({ port: serverPort, host: '127.0.0.1', noDelay: true });
    const pair = [client, upstream] as const;
    pairs.add(pair);
    client.on('data', (data) => {
      if (state.dropped !== 'to-server') upstream.write(data);
    });
    upstream.on('data', (data) => {
      state.received += data.length;
      heard?.(data.length);
      if (state.dropped !== 'to-client' && !client.destroyed) client.write(data);
    });
    for (const [here, there] of [pair, [upstream, client] as const]) {
      here.on('error', () => undefined);
      here.on('close', () => {
        pairs.delete(pair);
        there.destroy();
      });
      if (state.stalled) here.pause();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const each = (act: (socket: Socket) => void) => {
    for (const pair of pairs) pair.forEach(act);
  };
  const cut = () => {
    state.received = 0;
    for (const [client, upstream] of pairs) {
      client.resetAndDestroy();
      upstream.destroy();
    }
  };
  return {
    get port() {
      const address = server.address();
      return address !== null && typeof address === 'object' ? address.port : 0;
    },
    get connections() {
      return state.connections;
    },
    get received() {
      return state.received;
    },
    cut,
    refuse: () => {
      state.refusing = true;
    },
    accept: () => {
      state.refusing = false;
    },
    stall: () => {
      state.stalled = true;
      each((socket) => socket.pause());
    },
    resume: () => {
      state.stalled = false;
      each((socket) => socket.resume());
    },
    drop: (direction) => {
      state.dropped = direction;
    },
    onAnswer: (listener) => {
      heard = listener;
    },
    close: async () => {
      cut();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
};
