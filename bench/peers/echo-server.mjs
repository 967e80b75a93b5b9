/** The least that a control socket on node:http can cost: answers every request with its own body. */
import { createServer } from 'node:http';

const [socket] = process.argv.slice(2);
const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks);
    response.writeHead(201, { 'content-type': 'application/json', 'content-length': body.length });
    response.end(body);
  });
});
server.listen(socket, () => process.stdout.write('ready\n'));
