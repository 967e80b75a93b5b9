import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FiringView, OutcomeView } from '../../src/api/contract/firings.ts';
import type { JobView } from '../../src/api/contract/jobs.ts';
import type { WhyView } from '../../src/api/contract/why.ts';
import { type Bridge, createBridge } from '../support/bridge.ts';
import { bootContainer, type Container } from '../support/container.ts';
import { root } from '../support/node.ts';
import { siteEquipment, startPuppetserver, whyNoPuppetserver } from '../support/puppetserver.ts';
import { until } from '../support/wait.ts';

const addresses = {
  'puppet.boxnet': '10.87.0.11',
  'web01.boxnet': '10.87.0.12',
  'lb01.boxnet': '10.87.0.13',
} as const;
type Name = keyof typeof addresses;
const names = Object.keys(addresses) as Name[];
const hosts = names.map((name) => `${addresses[name]} ${name}`).join('\n');

const environment = '/etc/puppet/code/environments/production';
const ssl = '/var/lib/puppet/ssl';
/** A run of Puppet on a busy machine, and what it needs to be waited for. */
const runMs = 180_000;

const obstacle = await whyNoPuppetserver();
if (obstacle !== undefined) console.warn(`SKIPPED: nodes of a Puppet server: ${obstacle}`);

/**
 * A site as people have it: Debian's Puppet server and PuppetDB, agents with certificates, Puppet Labs' modules, the daemon from its
 * package, etcd that asks for Puppet's certificates. The manifest is the module's example.
 */
describe.skipIf(obstacle !== undefined)(
  'nodes of a Puppet server',
  () => {
    let bridge: Bridge;
    const machines = {} as Record<Name, Container>;
    let site: string;

    const sh = (name: Name, script: string, ...args: string[]) => machines[name].must('sh', '-ec', script, ...args);
    const deploy = async (manifest: string): Promise<void> => {
      expect(manifest).not.toBe(site);
      site = manifest;
      await sh('puppet.boxnet', `printf %s "$0" > ${environment}/manifests/site.pp`, site);
    };
    const agent = async (name: Name): Promise<{ exitCode: number | undefined; output: string }> => {
      const { exitCode, stdout, stderr } = await machines[name].run('puppet', 'agent', '--test', '--color=false');
      return { exitCode, output: stdout + stderr };
    };
    const agentChanges = async (name: Name): Promise<string> => {
      const { exitCode, output } = await agent(name);
      expect(exitCode, output).toBe(2);
      return output;
    };
    const json = async <T>(name: Name, ...args: string[]): Promise<T> =>
      JSON.parse(await machines[name].must('trigger', ...args, '--json'));
    const outcomeOf = async (firing: string): Promise<OutcomeView> => {
      const { outcomes } = await json<FiringView>('web01.boxnet', 'status', firing);
      const outcome = outcomes['lb01.boxnet'];
      if (outcome === undefined) throw new Error(`${firing} is not for lb01.boxnet`);
      return outcome;
    };
    const reaches = (firing: string, stage: OutcomeView['stage']) =>
      until(
        async () => {
          const outcome = await outcomeOf(firing);
          return outcome.stage === stage ? outcome : undefined;
        },
        `${firing} to be ${stage}`,
        runMs,
      );
    const fire = async (trigger: string): Promise<string> =>
      (await json<{ id: string }>('web01.boxnet', 'fire', trigger, '--host', 'lb01.boxnet')).id;
    /** The id of what a Puppet run said it has fired. */
    const firedIn = (output: string): string => {
      const [, id] = /refresh load balancers\]: fired (\w{26}) to 1 node \(lb01\.boxnet\)/.exec(output) ?? [];
      if (id === undefined) throw new Error(`nothing was fired: ${output}`);
      return id;
    };
    const haproxy = () => machines['lb01.boxnet'].must('cat', '/etc/haproxy/haproxy.cfg');
    const asPuppetdbKnows = (name: Name, query: string): Promise<string> =>
      sh(
        name,
        `curl -sS --fail --cacert ${ssl}/certs/ca.pem --cert ${ssl}/certs/${name}.pem --key ${ssl}/private_keys/${name}.pem \
          --get https://puppet.boxnet:8081/pdb/query/v4 --data-urlencode "query=$0"`,
        query,
      );

    beforeAll(async () => {
      // It need not be small.
      const env = { DPKG_DEB_COMPRESSOR_TYPE: 'gzip', DPKG_DEB_COMPRESSOR_LEVEL: '1' };
      const { stdout: built } = await execa(join(root, 'scripts/package'), ['99.0.1'], { cwd: root, env });
      bridge = await createBridge();
      for (const name of names) {
        const network = { bridge, hostname: name, address: `${addresses[name]}/24` };
        machines[name] = await bootContainer('bookworm', siteEquipment, { network });
        await sh(name, 'printf "%s\\n" "$0" >> /etc/hosts', hosts);
        // Debian starts what it installs; here that is for Puppet to decide.
        await machines[name].must('systemctl', 'disable', '--now', 'apache2', 'haproxy', 'etcd');
        await sh(name, "printf '[main]\\nserver = puppet.boxnet\\n' > /etc/puppet/puppet.conf");
      }
      await startPuppetserver(machines['puppet.boxnet'], 'puppet.boxnet');
      await sh(
        'puppet.boxnet',
        `mkdir -p ${environment}/modules/profile/files && cp -r /opt/triggerd/puppet-module ${environment}/modules/trigger`,
      );
      machines['puppet.boxnet'].copyIn(join(root, built), join(environment, 'modules/profile/files/triggerd.deb'));
      await sh('puppet.boxnet', 'puppet generate types --environment production');
      const example = readFileSync(join(root, 'puppet-module/examples/puppetserver/site.pp'), 'utf8');
      await deploy(example.replaceAll('example.com', 'boxnet'));
    }, 2_400_000);
    afterAll(async () => {
      for (const machine of Object.values(machines)) await machine.stop();
      await bridge?.remove();
    }, 180_000);

    it('the server’s first run sets up an etcd that only Puppet’s certificates open; its second changes nothing', async () => {
      await agentChanges('puppet.boxnet');
      expect(await agent('puppet.boxnet')).toMatchObject({ exitCode: 0 });
      const health = ['etcdctl', '--endpoints=https://puppet.boxnet:2379', `--cacert=${ssl}/certs/ca.pem`];
      const [cert, key] = [`${ssl}/certs/puppet.boxnet.pem`, `${ssl}/private_keys/puppet.boxnet.pem`];
      await machines['puppet.boxnet'].must(...health, `--cert=${cert}`, `--key=${key}`, 'endpoint', 'health');
      expect((await machines['puppet.boxnet'].run(...health, 'endpoint', 'health')).exitCode).not.toBe(0);
    });

    it('one run gives a load balancer its certificate, the daemon’s package and its configuration', async () => {
      await agentChanges('lb01.boxnet');
      expect(await agent('lb01.boxnet')).toMatchObject({ exitCode: 0 });
      expect(await machines['lb01.boxnet'].must('systemctl', 'is-active', 'triggerd', 'haproxy')).toBe(
        'active\nactive',
      );
      expect(await haproxy()).not.toMatch(/server web01/);
      expect((await machines['lb01.boxnet'].run('trigger', 'doctor')).stdout).toMatch(/^Nothing is wrong/m);
    });

    it('the trigger of a new web server reaches the load balancer', async () => {
      const first = firedIn(await agentChanges('web01.boxnet'));
      const outcome = await reaches(first, 'finished');
      expect(outcome).toMatchObject({ result: 'succeeded', exit_code: 2, details: { puppet: { failed: 0 } } });
      expect(await haproxy()).toMatch(/^ {2}server web01 10\.87\.0\.12:80 check$/m);
      await sh('web01.boxnet', 'echo "Hello from web01" > /var/www/first/index.html');
      const page = await sh('puppet.boxnet', 'curl -sS --retry 20 --retry-all-errors http://lb01.boxnet/index.html');
      expect(page).toBe('Hello from web01');

      const second = await agent('web01.boxnet');
      expect(second).toMatchObject({ exitCode: 0 });
      expect(second.output).not.toMatch(/: fired/);
    });

    it('local and PuppetDB reports carry the job’s ID, and `trigger why` links to them', async () => {
      const [job] = await json<JobView[]>('lb01.boxnet', 'queue');
      const jobId = `triggerd-${job?.id}.1@lb01.boxnet`;
      expect(await sh('lb01.boxnet', 'cat $(puppet config print lastrunreport)')).toMatch(
        new RegExp(`^job_id: ['"]?${jobId}['"]?$`, 'm'),
      );
      const known = await until(
        async () => JSON.parse(await asPuppetdbKnows('lb01.boxnet', `reports[hash]{ job_id = "${jobId}" }`))[0],
        'PuppetDB to have the report',
        60_000,
      );
      const version = `curl -sS --cacert ${ssl}/certs/ca.pem https://puppet.boxnet:8081/pdb/meta/v1/version`;
      expect((await machines['lb01.boxnet'].run('sh', '-c', version)).stderr).toMatch(/SSL/);
      // The web server's daemon asks PuppetDB, with the web server's certificate.
      const why = await json<WhyView>('web01.boxnet', 'why', 'lb01.boxnet');
      expect(why.notes).toEqual([]);
      expect(why.firings[0]?.report).toMatchObject({ certname: 'web01.boxnet' });
      expect(why.runs[0]?.report?.url).toBe(`https://puppet.boxnet:8081/pdb/query/v4/reports/${known.hash}/events`);
      const told = await machines['web01.boxnet'].must('trigger', 'why', 'lb01.boxnet');
      expect(told).toMatch(/^Job \d+ ran on lb01\.boxnet because .* changed on web01\.boxnet\.$/m);
      expect(told).toContain(known.hash);
    });

    it('a change in what a web server exports arrives on the load balancer', async () => {
      await deploy(site.replace(`'check'`, `'check weight 50'`));
      const outcome = await reaches(firedIn(await agentChanges('web01.boxnet')), 'finished');
      expect(outcome).toMatchObject({ result: 'succeeded', exit_code: 2 });
      expect(await haproxy()).toMatch(/^ {2}server web01 10\.87\.0\.12:80 check weight 50$/m);
    });

    it('a regular run that holds the agent’s lock defers a firing that arrives meanwhile, and does not satisfy it', async () => {
      const slow = `exec { 'slow':
        command => 'touch /root/reached; while [ -e /root/gate ]; do sleep 0.1; done', onlyif => 'test -e /root/gate', provider => shell }`;
      await deploy(site.replace('  include haproxy\n', `  include haproxy\n  ${slow}\n`));
      await machines['lb01.boxnet'].must('touch', '/root/gate');
      // The daemon of the agent begins with a run, and makes the next one in half an hour.
      await machines['lb01.boxnet'].must('systemctl', 'start', 'puppet');
      await until(
        async () => (await machines['lb01.boxnet'].run('test', '-e', '/root/reached')).exitCode === 0,
        'the agent’s own run to apply its catalogue',
        runMs,
      );
      const firing = await fire('meanwhile');
      const deferred = await reaches(firing, 'deferred');
      expect(deferred.reason).toMatch(/another Puppet run holds the agent’s lock \(pid \d+\)/);
      await machines['lb01.boxnet'].must('rm', '/root/gate');
      const outcome = await reaches(firing, 'finished');
      expect(outcome).toMatchObject({ result: 'succeeded', exit_code: 0 });
      expect(outcome.details).not.toHaveProperty('regular_run');
    });

    it('the next regular run satisfies a queued job', async () => {
      await machines['lb01.boxnet'].must('systemctl', 'stop', 'puppet');
      await machines['lb01.boxnet'].must('trigger', 'queue', 'pause');
      const firing = await fire('while paused');
      await reaches(firing, 'queued');
      await machines['lb01.boxnet'].must('systemctl', 'start', 'puppet');
      const outcome = await reaches(firing, 'finished');
      expect(outcome).toMatchObject({ result: 'succeeded', details: { regular_run: true, puppet: { job_id: null } } });
      await machines['lb01.boxnet'].must('systemctl', 'stop', 'puppet');
      await machines['lb01.boxnet'].must('trigger', 'queue', 'resume');
    });

    it('the outcome of a catalog that does not compile has the server’s message', async () => {
      // An exported resource takes its relations along, and the load balancer has no such trigger.
      await deploy(
        site.replace(
          '    * => $member,\n',
          `    *      => $member,\n    notify => Trigger['refresh load balancers'],\n`,
        ),
      );
      await agent('web01.boxnet');
      const outcome = await reaches(await fire('does not compile'), 'finished');
      expect(outcome).toMatchObject({ result: 'failed', exit_code: 1 });
      expect(outcome.reason).toMatch(
        /^Could not retrieve catalog .*Could not find resource 'Trigger\[refresh load balancers\]'/,
      );
    });
  },
  900_000,
);
