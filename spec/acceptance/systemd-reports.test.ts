import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JobView } from '../../src/api/contract/jobs.ts';
import { bootContainer, type Container } from '../support/container.ts';

const config = `[node]
name = "lb01"
[etcd]
embedded = true
[watch]
run_cmd = "true"
[plugins]
path = "/opt/triggerd/plugins"
`;
const equipment = { name: 'puppet', installed: ['puppet-agent'], installable: ['etcd-server', 'etcd-client'] };

/**
 * A triggered `puppet apply` reports to a place of its own, and the daemon puts that report where Puppet would have put it. The
 * shipped unit gives the daemon's root no power over the files of others, and Puppet's folder is sticky and not root's.
 */
describe('the report of a Puppet run, with the daemon in its sandbox', () => {
  let host: Container;
  let report: string;
  let state: string;

  const sh = (script: string, ...args: string[]) => host.must('sh', '-ec', script, ...args);
  /** Applies a manifest as a job; gives its outcome, and all that stands in the folder of reports with owner and mode. */
  const apply = async (word: string) => {
    await sh('printf %s "$0" > /root/site.pp', `notify { '${word}': }`);
    const add = ['queue', 'add', '--plugin', 'puppet', '--', 'puppet', 'apply', '/root/site.pp'];
    const id = await host.must('trigger', ...add);
    await host.run('trigger', 'queue', 'wait', id);
    const job: JobView = JSON.parse(await host.must('trigger', 'queue', 'info', id, '--json'));
    const names = await sh(`cd ${state} && ls -A | grep report`);
    return { job, names, stands: await sh(`stat -c '%U %G %a' ${report}; grep -c 'Notify.${word}.: *$' ${report}`) };
  };

  beforeAll(async () => {
    host = await bootContainer('bookworm', equipment, { shown: { '/usr/bin/etcd': '/usr/bin/etcd' } });
    await sh('mkdir -p /etc/triggerd && printf %s "$0" > /etc/triggerd/triggerd.toml', config);
    await sh(`ln -s /opt/triggerd/bin/triggerd /opt/triggerd/bin/trigger /usr/bin/
      cp /opt/triggerd/systemd/triggerd.service /etc/systemd/system/
      systemctl daemon-reload && systemctl start triggerd`);
    // Puppet's first run makes its folders.
    await sh('puppet apply -e ""');
    report = await sh('puppet config print lastrunreport');
    state = await sh('puppet config print statedir');
  }, 600_000);
  afterAll(() => host?.stop(), 60_000);

  it('the sandboxed daemon’s folder for reports cannot be changed by anyone but root', async () => {
    expect(await sh(`stat -c '%U %a' ${state}`)).toBe('puppet 1755');
    const pid = await host.must('systemctl', 'show', '-P', 'MainPID', 'triggerd');
    const fowner = 1 << 3;
    const effective = await sh(`sed -n 's/^CapEff:\\t//p' /proc/${pid}/status`);
    expect(Number.parseInt(effective, 16) & fowner).toBe(0);
  });

  it.each([
    ['puppet', 'puppet'],
    ['root', 'root'],
    ['nobody', 'nogroup'],
  ])('a report replaces one that belongs to %s, keeps that owner, and leaves no other file', async (owner, group) => {
    await sh(`chown ${owner}: ${report}; chmod 640 ${report}`);
    const { job, names, stands } = await apply(`for-${owner}`);
    expect(job).toMatchObject({
      result: 'succeeded',
      details: { puppet: { changed: 1 } },
    });
    expect(names).toBe('last_run_report.yaml');
    expect(stands).toBe(`${owner} ${group} 640\n1`);
  });

  it('a report is put where none was before', async () => {
    await sh(`rm ${report}`);
    const { names, stands } = await apply('alone');
    expect(names).toBe('last_run_report.yaml');
    expect(stands).toBe('root root 640\n1');
  });
});
