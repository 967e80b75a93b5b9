/** Request and reply with NATS' own client. */
import { connect } from 'nats';
import { payload, serveLoad } from './load.mjs';

const connection = await connect({ servers: process.argv[2] });
await serveLoad(() => connection.request('echo', payload, { timeout: 30_000 }));
await connection.close();
