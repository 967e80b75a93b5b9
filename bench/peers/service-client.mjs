/** Our client, as `import { Client } from 'triggerd/client'` gives it; reads the output of every request. */
import { Client } from '../../dist/client/client.js';
import { payload, serveLoad } from './load.mjs';

const { service, plugin, ...connect } = JSON.parse(process.argv[2]);
const client = await Client.connect(connect);
await serveLoad(async () => {
  const request = client.request({ service, plugin, payload });
  let bytes = 0;
  for await (const chunk of request.output) bytes += chunk.bytes.length;
  const { result } = await request.result;
  if (result !== 'succeeded' || bytes !== payload.length) throw new Error(`${result}, ${bytes} bytes`);
});
await client.close();
