import type { Config } from '../config/schema.ts';
import { type Finding, fine, unused, wrong } from './finding.ts';
import type { Machine } from './ports.ts';

/** Whether the broker that this machine is, or uses, takes connections. */
export const checkBroker = async (machine: Machine, { broker, main }: Config): Promise<Finding[]> => {
  const addresses = [
    ...(broker === undefined ? [] : [broker.listen.replace('//0.0.0.0:', '//127.0.0.1:')]),
    ...(main.broker === undefined ? [] : [main.broker]),
  ];
  if (addresses.length === 0) return [unused('broker', 'none configured ([broker], [main] broker)')];
  return Promise.all(
    addresses.map(async (address) => {
      const { hostname, port } = new URL(address);
      return (await machine.accepts(hostname, Number(port)))
        ? fine('broker', `${address} takes connections`)
        : wrong('broker', `${address} takes no connection`, 'Start the broker there, or correct the address.');
    }),
  );
};
