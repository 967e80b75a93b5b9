import type { Problem } from './problem.ts';
import type { Config } from './schema.ts';

/** Values that are fine alone and wrong together. */
export const combinationProblems = ({ etcd }: Pick<Config, 'etcd'>): Problem[] => {
  const problems: Problem[] = [];
  const both = (one: 'cert_file' | 'username', other: 'key_file' | 'password_file') => {
    if ((etcd[one] === undefined) === (etcd[other] === undefined)) return;
    const [given, missing] = etcd[one] === undefined ? [other, one] : [one, other];
    problems.push({ path: ['etcd', missing], message: `needed with ${given}` });
  };
  both('cert_file', 'key_file');
  both('username', 'password_file');
  if (etcd.ca_file !== undefined && etcd.endpoints.some((endpoint) => endpoint.startsWith('http://')))
    problems.push({ path: ['etcd', 'endpoints'], message: 'http:// is not encrypted, and ca_file asks for TLS' });
  if (etcd.embedded && etcd.endpoints[0]?.startsWith('http://') !== true)
    problems.push({ path: ['etcd', 'endpoints'], message: 'an embedded etcd listens on http://127.0.0.1 only' });
  return problems;
};
