import type { Deferral } from '../../domain/job.ts';
import { printable } from '../../domain/names.ts';
import type { PuppetHost, PuppetSettings } from '../ports.ts';

type Obstacle = Omit<Deferral, 'since'>;

/**
 * What keeps `puppet agent` from running right now: an administrator has disabled it, or another run holds a lock of it.
 * Such a run would exit 1, as a failed one does; so we look before, and again after an exit 1.
 */
export const agentObstacle = async (host: PuppetHost, settings: PuppetSettings): Promise<Obstacle | null> =>
  (await disabledObstacle(host, settings.disabledLockFile)) ??
  (await lockObstacle(host, settings.runLockFile, 'the agent’s lock')) ??
  (await lockObstacle(host, settings.sslLockFile, 'the lock of the agent’s certificates'));

const disabledObstacle = async (host: PuppetHost, path: string): Promise<Obstacle | null> => {
  const text = await host.readFile(path);
  if (text === undefined) return null;
  return { reason: `Puppet agent is disabled: ${disabledMessage(text)}`, paths: [path] };
};

const disabledMessage = (text: string): string => {
  try {
    const document: unknown = JSON.parse(text);
    const message = document instanceof Object && 'disabled_message' in document ? document.disabled_message : null;
    return typeof message === 'string' && message !== '' ? printable(message) : 'no reason given';
  } catch {
    return 'no reason given';
  }
};

/** Puppet's own rule: a lock is stale when its process is gone or is not Puppet; Puppet then removes it. */
const lockObstacle = async (host: PuppetHost, path: string, what: string): Promise<Obstacle | null> => {
  const pid = Number((await host.readFile(path))?.trim());
  if (!Number.isSafeInteger(pid) || pid <= 0) return null;
  const commandLine = await host.commandLine(pid);
  if (!commandLine?.some((word) => /puppet/.test(word))) return null;
  return { reason: `another Puppet run holds ${what} (pid ${pid})`, paths: [path] };
};
