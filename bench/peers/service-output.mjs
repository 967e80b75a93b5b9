/** Reads the whole output of one request of ours for each load, and tells nothing of it but the time. */
import { Client } from '../../dist/client/client.js';
import { serveLoad } from './load.mjs';

const { service, plugin, expected, ...connect } = JSON.parse(process.argv[2]);
const client = await Client.connect(connect);
await serveLoad(async () => {
  const request = client.request({ service, plugin, timeoutMs: 100_000 });
  let bytes = 0;
  for await (const chunk of request.output) bytes += chunk.bytes.length;
  const { result } = await request.result;
  if (result !== 'succeeded' || bytes !== expected) throw new Error(`${result}, ${bytes} bytes`);
});
await client.close();
