/** The least that "something happens in etcd, a process starts" can cost in Node: an etcd3 watch, and a spawn. */
import { spawn } from 'node:child_process';
import { Etcd3 } from 'etcd3';

const [endpoint, key, program] = process.argv.slice(2);
const client = new Etcd3({ hosts: endpoint });
const watcher = await client.watch().key(key).create();
watcher.on('put', () => spawn(program, { stdio: 'ignore' }));
process.stdout.write('ready\n');
