import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/config.ts';
import { configuredWorkers } from '../../src/config/workers.ts';
import { root } from '../support/node.ts';
import { createPuppet, type TestPuppet } from '../support/puppet.ts';

/** What Puppet writes, the daemon reads: `trigger::watch::etcd` applied for real, its file through our own loader. */
describe('trigger::watch::etcd', () => {
  let puppet: TestPuppet;
  beforeAll(() => {
    puppet = createPuppet('lb01.example.com', ['http://127.0.0.1:2379']);
  });
  afterAll(() => puppet?.remove());

  it('trigger::watch::etcd writes a configuration that triggerd accepts, whatever is in run_cmd; the second run changes nothing', async () => {
    const runCommand = String.raw`puppet apply --environment prod "/etc/it's here/\ü.pp"`;
    const manifest = puppet.manifest(
      'watch.pp',
      `class { 'trigger::watch::etcd':
        run_cmd        => '${runCommand.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}',
        endpoints      => ['http://etcd1:2379', 'http://etcd2:2379'],
        allow          => ['puppet', 'echo'],
        config_file    => '${puppet.dir}/triggerd.toml',
        client_file    => '${puppet.dir}/client-written.json',
        manage_service => false,
      }`,
    );
    const first = await puppet.apply(manifest);
    expect(first.exitCode, first.output).toBe(2);
    expect((await puppet.apply(manifest)).exitCode).toBe(0);

    const path = join(puppet.dir, 'triggerd.toml');
    const { config } = parseConfig({ file: { path, text: readFileSync(path, 'utf8') }, env: {} });
    expect(config.node.name).toBe('lb01.example.com');
    expect(config.watch).toEqual({ enabled: true, run_cmd: runCommand, allow: ['puppet', 'echo'] });
    expect(config.etcd.endpoints).toEqual(['http://etcd1:2379', 'http://etcd2:2379']);
    const client = JSON.parse(readFileSync(join(puppet.dir, 'client-written.json'), 'utf8'));
    expect(client).toMatchObject({ endpoints: ['http://etcd1:2379', 'http://etcd2:2379'], prefix: '/trigger' });
  });

  it('trigger::watch::etcd writes brokers and workers as in the example, closed to other users, and shows no token', async () => {
    const example = readFileSync(join(root, 'puppet-module/examples/services.pp'), 'utf8');
    const path = join(puppet.dir, 'services.toml');
    const places = `config_file => '${path}', client_file => '${puppet.dir}/client-services.json', manage_service => false,`;
    const manifest = puppet.manifest(
      'services.pp',
      // The group of the package is not there.
      `${example.replace(/^(?= {2}endpoints)/m, places)}\nFile <| title == '${path}' |> { group => 'root' }`,
    );
    const { exitCode, output } = await puppet.apply(manifest);
    expect(exitCode, output).toBe(2);
    expect(output).not.toContain('9b1bd278');
    expect((await puppet.apply(manifest)).exitCode).toBe(0);

    expect(statSync(path).mode & 0o777).toBe(0o640);
    const { config } = parseConfig({ file: { path, text: readFileSync(path, 'utf8') }, env: {} });
    expect(config.broker?.listen).toBe('tcp://0.0.0.0:5555');
    expect(config.workers.allow).toEqual(['monitor', 'log']);
    expect(configuredWorkers(config)).toEqual([
      { team: 'team1', identity: 'demo01', token: '9b1bd278-e645-4eec-bffb-0587ad84534e' },
    ]);
  });
});
