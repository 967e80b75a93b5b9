/** Our client, as `import { Client } from 'triggerd/client'` gives it; reads the output of every request. */
import { Client } from '../../dist/client/client.js';
import { payload, serveLoad } from './load.mjs';

const { services, plugin, ...connect } = JSON.parse(process.argv[2]);
const client = await Client.connect(connect);
let asked = 0;
await serveLoad(async () => {
  const service = services[asked++ % services.length];
  const request = client.request({ service, plugin, payload });
  let bytes = 0;
  for await (const chunk of request.output) bytes += chunk.bytes.length;
  const { result } = await request.result;
  if (result !== 'succeeded' || bytes !== payload.length) throw new Error(`${result}, ${bytes} bytes`);
});
await client.close();
