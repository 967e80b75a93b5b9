/**
 * `trigger doctor`: one screen that says what works here, what does not, and what to do about it. Every check looks for
 * itself; one that fails says so and costs no other.
 */
import type { LoadedConfig } from '../config/config.ts';
import { asTriggerdError, errorCatalogue } from '../domain/errors.ts';
import { checkBroker } from './broker.ts';
import { checkCertificates } from './certificates.ts';
import { checkDaemon } from './daemon.ts';
import { askEtcd, checkClock, checkEtcd } from './etcd.ts';
import { type Area, type CheckedArea, checkedAreas, type Finding, fine, wrong } from './finding.ts';
import { checkDisk, checkFuse, checkPermissions, checkSpool } from './machine.ts';
import type { Surroundings } from './ports.ts';
import { checkPuppet } from './puppet.ts';

export interface Patient {
  readonly loaded: LoadedConfig;
  /** `[watch] run_cmd` in words. */
  readonly runCommand: readonly string[];
  readonly spoolFolder: string;
  readonly endpoints: readonly string[];
}

/** Findings of these areas in the order of the screen. Never throws. */
export const examine = async (
  surroundings: Surroundings,
  patient: Patient,
  areas: readonly CheckedArea[] = checkedAreas,
): Promise<Finding[]> => {
  const { machine } = surroundings;
  const { loaded, runCommand, spoolFolder, endpoints } = patient;
  const { config, file } = loaded;
  const health = once(() => surroundings.daemon.health());
  const answers = once(() => askEtcd(surroundings.etcd, endpoints));
  const oldestSpooled = () =>
    health().then(
      ({ spool }) => spool.oldest_at,
      () => null,
    );
  const checks: Readonly<Record<CheckedArea, () => Promise<Finding[]>>> = {
    configuration: async () => [fine('configuration', file ?? 'no configuration file: all defaults')],
    daemon: () => checkDaemon(surroundings, config, health()),
    etcd: async () => checkEtcd(await answers()),
    clock: async () => checkClock(await answers()),
    certificates: () => checkCertificates(surroundings, config),
    Puppet: () => checkPuppet(surroundings, config, runCommand),
    spool: async () => checkSpool(surroundings, spoolFolder, await oldestSpooled()),
    disk: () => checkDisk(machine, config.node.state_dir),
    permissions: () => checkPermissions(machine, loaded),
    FUSE: () => checkFuse(machine, config),
    broker: () => checkBroker(surroundings, config),
  };
  const examined = checkedAreas.filter((area) => areas.includes(area));
  const findings = examined.map((area) => checks[area]().catch((thrown) => [failed(area, thrown)]));
  return (await Promise.all(findings)).flat();
};

/** Asks when somebody needs the answer first, and gives all the same one. */
const once = <T>(ask: () => Promise<T>): (() => Promise<T>) => {
  let answer: Promise<T> | undefined;
  return () => {
    answer ??= ask();
    return answer;
  };
};

const failed = (area: Area, thrown: unknown): Finding => {
  const error = asTriggerdError(thrown);
  return wrong(area, `could not be checked: ${error.message}`, errorCatalogue[error.code].remedy);
};
