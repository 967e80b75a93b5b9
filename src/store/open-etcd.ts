/** Hosts that only this machine reaches. */
const loopback = /^https?:\/\/(?:127\.|localhost(?:[:/]|$)|\[::1\])/;

/** What it means that `endpoint` answers without credentials. */
export const whatOpenEtcdMeans = (endpoint: string): string =>
  `etcd answers without credentials: ${who(endpoint)} can change users and fire at nodes, and so become root there`;

const who = (endpoint: string): string =>
  loopback.test(endpoint) ? 'every account of this machine' : 'everybody who reaches it';
