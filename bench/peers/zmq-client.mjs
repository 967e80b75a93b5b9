/** The bare pair's client: a dealer, and a number to tell the answers apart. */
import { Dealer } from 'zeromq';
import { payload, serveLoad } from './load.mjs';

const socket = new Dealer({ linger: 0 });
socket.connect(process.argv[2]);
const waiting = new Map();
const outbox = [];
let isSending = false;
let last = 0;

/** One send at a time is all that a socket takes. */
const flush = async () => {
  if (isSending) return;
  isSending = true;
  for (let frames = outbox.shift(); frames !== undefined; frames = outbox.shift()) await socket.send(frames);
  isSending = false;
};

const receive = async () => {
  for await (const [id, body] of socket) {
    const key = id.toString();
    waiting.get(key)(body);
    waiting.delete(key);
  }
};
void receive();

const ask = () =>
  new Promise((resolve) => {
    last += 1;
    const id = String(last);
    waiting.set(id, resolve);
    outbox.push([id, payload]);
    void flush();
  });
await ask();
await serveLoad(ask);
process.exit(0);
