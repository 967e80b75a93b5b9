import { InvalidArgumentError } from 'commander';
import type { OwnBrokerView } from '../../api/contract/brokers.ts';
import type { HealthView } from '../../api/contract/health.ts';
import type { JobView } from '../../api/contract/jobs.ts';
import type { LoadedConfig } from '../../config/config.ts';
import { type CheckedArea, checkedAreas, type Finding, wrong } from '../../doctor/finding.ts';
import type { DaemonProbe } from '../../doctor/ports.ts';
import { errorCatalogue, TriggerdError } from '../../domain/errors.ts';
import type { Define } from '../command.ts';
import { renderFindings } from '../render/findings.ts';
import type { DaemonClient } from '../support/http-client.ts';
import { type HelpText, list, query } from '../support/options.ts';
import { print, type Session } from '../support/session.ts';

export const help: HelpText = {
  details: `
Checks the configuration, the daemon and its queues, etcd, the clock, certificates, Puppet, the spool, permissions, FUSE and
the broker. No daemon needs to run. Run the command as root: other users cannot read everything.
Exits 1 if there is a problem; warnings alone exit 0.

Areas: ${checkedAreas.join(', ').toLowerCase()}.`,
  examples: [
    'trigger doctor',
    'trigger doctor --only fuse,disk --problems',
    'trigger doctor --json | jq \'.[] | select(.state == "wrong")\'',
  ],
};

interface DoctorOptions {
  readonly only?: readonly CheckedArea[];
  readonly problems?: true;
}

export const define: Define = (command, run) =>
  command
    .option('--only <area>', 'check only this area; repeatable, or a list with commas', areas)
    .option('--problems', 'print only problems and warnings')
    .action(
      run(async (session, { only, problems }: DoctorOptions) => {
        const all = await examineHere(session, only);
        const isProblem = ({ state }: Finding) => state === 'wrong' || state === 'warning';
        const findings = problems ? all.filter(isProblem) : all;
        if (session.json || !problems || findings.length > 0)
          await print(session, findings, ({ columns, paint }) => renderFindings(findings, columns, paint));
        return findings.some(({ state }) => state === 'wrong') ? 1 : 0;
      }),
    );

const areas = (text: string, before?: readonly CheckedArea[]): CheckedArea[] =>
  list(text, before).map((name) => {
    const area = checkedAreas.find((each) => each.toLowerCase() === name.toLowerCase());
    if (area === undefined) throw new InvalidArgumentError(`there is no area ${name}`);
    return area;
  });

const examineHere = async (session: Session, only?: readonly CheckedArea[]): Promise<Finding[]> => {
  const { loadConfig } = await import('../support/load-config.ts');
  let loaded: LoadedConfig;
  try {
    loaded = loadConfig({ file: session.configFile, env: session.env, overrides: { 'node.socket': session.socket } });
  } catch (error) {
    // A file that somebody has named and that is not there is a slip of the command line.
    if (!(error instanceof TriggerdError) || error.code === 'config-not-found') throw error;
    return [wrong('configuration', error.message, errorCatalogue[error.code].remedy)];
  }
  const { runDoctor } = await import('../../daemon/control/doctor.ts');
  return runDoctor(loaded, daemonProbe(session.client), only);
};

const daemonProbe = (client: DaemonClient): DaemonProbe => ({
  health: () => client.request<HealthView>('/v1/health'),
  nextJob: async (queue) => {
    const jobs = await client.request<JobView[]>(`/v1/jobs${query({ queue, ended: 0, queued: 1, command: 80 })}`);
    return jobs.find(({ state }) => state === 'queued');
  },
  broker: () => client.request<OwnBrokerView>('/v1/broker'),
});
