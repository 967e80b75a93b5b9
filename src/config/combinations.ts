import { resolve, sep } from 'node:path';
import type { Problem } from './problem.ts';
import type { Config } from './schema.ts';

/** Values that are fine alone and wrong together. */
export const combinationProblems = (config: Config): Problem[] => {
  const { etcd, puppetdb } = config;
  const problems = placesInsideMount(config);
  const both = (one: 'cert_file' | 'username', other: 'key_file' | 'password_file') => {
    if ((etcd[one] === undefined) === (etcd[other] === undefined)) return;
    const [given, missing] = etcd[one] === undefined ? [other, one] : [one, other];
    problems.push({ path: ['etcd', missing], message: `needed with ${given}` });
  };
  both('cert_file', 'key_file');
  both('username', 'password_file');
  if (etcd.ca_file !== undefined && etcd.endpoints.some((endpoint) => endpoint.startsWith('http://')))
    problems.push({ path: ['etcd', 'endpoints'], message: 'http:// is not encrypted, and ca_file asks for TLS' });
  if ((puppetdb?.cert_file === undefined) !== (puppetdb?.key_file === undefined)) {
    const [given, missing] = puppetdb?.cert_file === undefined ? ['key_file', 'cert_file'] : ['cert_file', 'key_file'];
    problems.push({ path: ['puppetdb', missing], message: `needed with ${given}` });
  }
  if (etcd.embedded && !isLoopback(etcd.endpoints[0]))
    problems.push({ path: ['etcd', 'endpoints'], message: 'an embedded etcd listens on https://127.0.0.1 only' });
  if (etcd.embedded && etcd.ca_file !== undefined)
    problems.push({
      path: ['etcd', 'ca_file'],
      message: 'an embedded etcd makes its own certificates; remove this key',
    });
  return problems;
};

const isLoopback = (endpoint = ''): boolean => /^https?:\/\/(127\.0\.0\.1|localhost)(:\d+)?\/?$/.test(endpoint);

/** What a process that mounts opens itself: there it would wait for itself. */
const placesInsideMount = ({ triggerfs, node, plugins, workers, messages }: Config): Problem[] => {
  const { mountpoint } = triggerfs;
  if (mountpoint === undefined) return [];
  const places: readonly [Problem['path'], string | undefined][] = [
    [['node', 'state_dir'], node.state_dir],
    [['node', 'spool'], node.spool],
    [['node', 'socket'], node.socket],
    [['plugins', 'path'], plugins.path],
    [['workers', 'pluginspath'], workers.pluginspath],
    [['messages', 'directory'], messages.directory],
    [['messages', 'data'], messages.data],
    [['triggerfs', 'logfile'], triggerfs.logfile],
  ];
  return places
    .filter(([, place]) => place !== undefined && isWithin(resolve(mountpoint), resolve(place)))
    .map(([path]) => ({ path, message: 'is inside of [triggerfs] mountpoint; what mounts would wait for itself' }));
};

const isWithin = (folder: string, place: string): boolean =>
  `${place}${sep}`.startsWith(folder === sep ? sep : `${folder}${sep}`);
