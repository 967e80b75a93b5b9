import type { Config } from '../config/schema.ts';
import { visible } from '../kit/text.ts';
import { type Finding, fine, unused, warning, wrong } from './finding.ts';
import type { Machine, MountHolder } from './ports.ts';

/** What mounting trigger files needs of the machine. */
export const checkFuse = async (machine: Machine, config: Config): Promise<Finding[]> => [
  await meansFinding(machine, config),
  // Also where no mount is configured any more: whoever writes to an earlier one does not know.
  ...(await machine.holdersOfDeadMounts()).map(holderFinding),
];

const meansFinding = async (machine: Machine, { triggerfs }: Config): Promise<Finding> => {
  if (triggerfs.mountpoint === undefined) return unused('FUSE', 'no trigger files here ([triggerfs] mountpoint)');
  if ((await machine.place('/dev/fuse')) === undefined)
    return wrong('FUSE', 'there is no /dev/fuse', 'Run modprobe fuse. In a container, add the device.');
  const version = await machine.firstLine('fusermount', ['--version']);
  if (version === undefined) return wrong('FUSE', 'there is no fusermount', 'Run apt install fuse3 libfuse2.');
  return fine('FUSE', version);
};

const holderFinding = ({ pid, program, path }: MountHolder): Finding =>
  warning(
    'FUSE',
    `${visible(program)} (pid ${pid}) has ${visible(path)} open on a dead FUSE mount: its writes are lost`,
    'Make the program reopen its files (nginx -s reopen, systemctl reload), or restart it.',
  );
