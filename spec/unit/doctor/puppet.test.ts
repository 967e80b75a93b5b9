import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../src/config/config.ts';
import type { Surroundings } from '../../../src/doctor/ports.ts';
import { checkPuppet } from '../../../src/doctor/puppet.ts';

/** A machine without Puppet: no program answers. */
const bare = {
  puppet: { refusal: async () => null, settings: async () => undefined },
  machine: { firstLine: async () => undefined },
} as unknown as Surroundings;

const statesWith = async (text: string): Promise<string[]> => {
  const { config } = parseConfig({ file: { path: '/t.toml', text }, env: {} });
  const findings = await checkPuppet(bare, config, config.watch.run_cmd.split(' '));
  return findings.map(({ state }) => state);
};

describe('a machine without Puppet', () => {
  it('a machine without Puppet is fine as a broker whose file says nothing of [watch]', async () => {
    expect(await statesWith('[broker]\nlisten = "tcp://127.0.0.1:5555"')).toEqual(['unused']);
  });

  it.each([
    ['watches', '[watch]'],
    [
      'is a broker and runs Puppet',
      '[broker]\nlisten = "tcp://127.0.0.1:5555"\n[watch]\nrun_cmd = "puppet agent --onetime"',
    ],
  ])('a machine without Puppet is told to install it where its file says that it %s', async (_, text) => {
    expect(await statesWith(text)).toEqual(['wrong']);
  });
});
