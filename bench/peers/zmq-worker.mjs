/** The bare pair's worker: sends back what it gets. */
import { Dealer } from 'zeromq';

const socket = new Dealer({ linger: 0 });
socket.connect(process.argv[2]);
process.stdout.write('ready\n');
for await (const frames of socket) await socket.send(frames);
