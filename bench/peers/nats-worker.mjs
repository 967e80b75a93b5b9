/** Answers every request on the subject `echo` with its own data. */
import { connect } from 'nats';

const connection = await connect({ servers: process.argv[2] });
connection.subscribe('echo', {
  callback: (error, message) => (error === null ? message.respond(message.data) : undefined),
});
await connection.flush();
process.stdout.write('ready\n');
