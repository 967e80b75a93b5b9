/** Our worker on the bus, without jobs: shows what the bus alone costs. */
import { dealerConnect } from '../../dist/adapters/zmq/dealer.js';
import { BusWorker } from '../../dist/worker/bus-worker.js';
import { echoJobs, log } from './echo-jobs.mjs';

const { broker, team, identity, token } = JSON.parse(process.argv[2]);
new BusWorker({
  ...{ team, identity, token, instance: String(process.pid), node: 'bench', version: '0' },
  brokers: [broker],
  connect: dealerConnect({ maxFrame: 67_108_864, log }),
  jobs: echoJobs(1_000),
  isAllowed: () => true,
  tell: () => undefined,
  log,
}).start();
process.stdout.write('ready\n');
