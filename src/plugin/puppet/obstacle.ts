import type { Deferral } from '../../domain/job.ts';
import { printable } from '../../domain/names.ts';
import type { ProcessFacts, PuppetHost, PuppetSettings } from '../ports.ts';

type Obstacle = Omit<Deferral, 'since'>;

/**
 * What keeps `puppet agent` from running right now: an administrator has disabled it, or another run holds a lock of it.
 * Such a run would exit 1, as a failed one does; so we look before, and again after an exit 1.
 */
export const agentObstacle = async (host: PuppetHost, settings: PuppetSettings): Promise<Obstacle | null> =>
  (await disabledObstacle(host, settings)) ??
  (await lockObstacle(host, settings.runLockFile, 'the agent’s lock')) ??
  (await lockObstacle(host, settings.sslLockFile, 'the lock of the agent’s certificates'));

/** Puppet looks only whether something of this name is there, and so do we; its content is for people. */
const disabledObstacle = async (host: PuppetHost, settings: PuppetSettings): Promise<Obstacle | null> => {
  const path = settings.disabledLockFile;
  const lock = await host.readLock(path);
  // If triggerd may not read the file, Puppet reports it itself.
  if (lock.kind === 'absent' || lock.kind === 'forbidden') return null;
  const message = lock.kind === 'read' ? disabledMessage(lock.text) : `${path} is not read: ${lock.why}`;
  const isStrange = lock.kind === 'read' && !settings.owners.includes(lock.uid);
  const owner = isStrange ? ` (${path} belongs to user ${lock.uid})` : '';
  return { reason: `Puppet agent is disabled: ${message}${owner}`, paths: [path] };
};

/** Limit of the message, which goes into the journal and into listings. */
const maxMessage = 500;

const disabledMessage = (text: string): string => {
  try {
    const document: unknown = JSON.parse(text);
    const message = document instanceof Object && 'disabled_message' in document ? document.disabled_message : null;
    return typeof message === 'string' && message !== '' ? printable(message.slice(0, maxMessage)) : 'no reason given';
  } catch {
    return 'no reason given';
  }
};

/** A lock is stale when its process is gone or is not Puppet; Puppet then removes it. */
const lockObstacle = async (host: PuppetHost, path: string, what: string): Promise<Obstacle | null> => {
  const lock = await host.readLock(path);
  if (lock.kind === 'absent' || lock.kind === 'forbidden') return null;
  // Puppet would read it, and wait for a FIFO as long as nobody writes.
  if (lock.kind === 'refused') return { reason: `${what} cannot be read: ${path}: ${lock.why}`, paths: [path] };
  const pid = /^\s*\d+\s*$/.test(lock.text) ? Number(lock.text) : 0;
  if (!Number.isSafeInteger(pid) || pid <= 0) return null;
  const holder = await host.process(pid);
  if (holder === undefined || !isPuppetProcess(holder)) return null;
  return { reason: `another Puppet run holds ${what} (pid ${pid})`, paths: [path] };
};

/** Puppet's own rule (`Puppet::Util::Pidlock`): what only has “puppet” in its arguments, `tail -f …/puppet.log` say, is none. */
const isPuppetProcess = ({ name, argv }: ProcessFacts): boolean =>
  (/ruby/.test(name) && /puppet/.test(argv.join(' '))) || /puppet(-.*)?$/m.test(name);
