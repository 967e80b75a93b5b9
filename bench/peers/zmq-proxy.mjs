/** The bare pair's proxy: a router for clients, a dealer for the worker, every multipart passed on as it is. */
import { Dealer, Router } from 'zeromq';

const [front, back] = process.argv.slice(2);
const clients = new Router({ linger: 0 });
const worker = new Dealer({ linger: 0 });
await clients.bind(front);
await worker.bind(back);
const pass = async (from, to) => {
  for await (const frames of from) await to.send(frames);
};
void pass(clients, worker);
void pass(worker, clients);
process.stdout.write('ready\n');
