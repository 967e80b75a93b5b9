/** Workers of ours by the hundred, each with a connection of its own, that say back what they get. */
import { dealerConnect } from '../../dist/adapters/zmq/dealer.js';
import { BusWorker } from '../../dist/worker/bus-worker.js';
import { echoJobs, log } from './echo-jobs.mjs';

const { broker, team, workers } = JSON.parse(process.argv[2]);
const connect = dealerConnect({ maxFrame: 67_108_864, log });
for (const { identity, token } of workers)
  new BusWorker({
    ...{ team, identity, token, instance: `${process.pid}-${identity}`, node: 'bench', version: '0' },
    ...{ brokers: [broker], connect, jobs: echoJobs(1_000), isAllowed: () => true, tell: () => undefined, log },
  }).start();
process.stdout.write('ready\n');
