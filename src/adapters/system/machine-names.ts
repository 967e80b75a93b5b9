import { hostname } from 'node:os';
import type { MachineNames } from '../../config/node-name.ts';
import { askProgram } from '../process/ask-program.ts';

/** Asks Puppet and the resolver what this machine is called. Takes Ruby a second, so only for a node that has no configured name. */
export const findMachineNames = async (env: Readonly<Record<string, string>>): Promise<MachineNames> => {
  const [certname, fqdn] = await Promise.all([
    firstLine('puppet', ['config', 'print', 'certname', '--section', 'agent'], env),
    firstLine('hostname', ['--fqdn'], env),
  ]);
  return { certname, fqdn: (fqdn ?? hostname()).toLowerCase() };
};

const firstLine = async (
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<string | null> => {
  const asked = await askProgram([program, ...args], { env, timeoutMs: 30_000 });
  const line = asked.failed ? '' : (asked.stdout.split('\n')[0]?.trim() ?? '');
  return line === '' ? null : line;
};
