import { parseNodeName } from '../domain/names.ts';
import type { Config } from './schema.ts';

/** What the caller found out about this machine. */
export interface MachineNames {
  /** Puppet's certname; null where Puppet is not installed. */
  readonly certname: string | null;
  readonly fqdn: string;
}

/** This node's name: as configured, else Puppet's certname, else the FQDN. Throws `node-name-invalid`. */
export const resolveNodeName = (config: Pick<Config, 'node'>, machine: MachineNames): string =>
  config.node.name ?? parseNodeName(machine.certname ?? machine.fqdn);
