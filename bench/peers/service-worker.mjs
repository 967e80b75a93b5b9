/** Our worker on the bus, without jobs: what it is sent is what it has printed. Shows what the bus alone costs. */
import { dealerConnect } from '../../dist/adapters/zmq/dealer.js';
import { BusWorker } from '../../dist/bus/worker/bus-worker.js';

const { broker, team, identity, token } = JSON.parse(process.argv[2]);
const log = { debug() {}, info() {}, warn: console.error, error: console.error };
const jobs = {
  free: () => 1_000,
  onFree: () => () => undefined,
  start: ({ payload }, listener) => {
    queueMicrotask(async () => {
      await listener.output({ stream: 'out', bytes: payload });
      listener.ended({
        jobId: null,
        result: { kind: 'succeeded', exitCode: 0 },
        ranMs: 0,
        outputBytes: payload.length,
        outputTail: payload,
      });
    });
    return 'started';
  },
  follow: () => false,
  unfollow: () => undefined,
  cancel: () => undefined,
  running: () => [],
};
const worker = new BusWorker({
  ...{ team, identity, token, instance: String(process.pid), node: 'bench', version: '0' },
  brokers: [broker],
  connect: dealerConnect({ maxFrame: 67_108_864, log }),
  jobs,
  isAllowed: () => true,
  tell: () => undefined,
  log,
});
worker.start();
process.stdout.write('ready\n');
