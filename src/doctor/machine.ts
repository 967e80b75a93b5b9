import type { LoadedConfig } from '../config/config.ts';
import { exposuresOf } from '../config/exposure.ts';
import type { Config } from '../config/schema.ts';
import { formatDuration } from '../kit/duration.ts';
import { visible } from '../kit/text.ts';
import { type Finding, fine, unused, warning, wrong } from './finding.ts';
import type { FileFacts, Machine, MountHolder, Surroundings } from './ports.ts';

const scarceBytes = 256 * 1_048_576;

/** Whether what the daemon keeps can be written, and for how long: the disk of its state folder. */
export const checkDisk = async (machine: Machine, folder: string): Promise<Finding[]> => {
  const disk = await machine.disk(folder);
  switch (disk.state) {
    case 'absent':
      return [unused('disk', `${folder} is made when the daemon starts`)];
    case 'unwritable':
      return [
        wrong(
          'disk',
          `${folder} cannot be written: ${disk.why}`,
          'Check the disk (or rerun as root). Owed work waits.',
        ),
      ];
    case 'writable':
      return [roomFinding(folder, disk.freeBytes)];
  }
};

const roomFinding = (folder: string, freeBytes: number): Finding => {
  const free = `${Math.floor(freeBytes / 1_048_576)} MiB are free in ${folder}`;
  if (freeBytes >= scarceBytes) return fine('disk', free);
  return warning(
    'disk',
    `only ${free}`,
    'Free space on the disk. A full disk makes firings wait and refuses new jobs.',
  );
};

const writableByOthers = 0o022;

/** Owners and modes: who may become root by them, or read what is secret. */
export const checkPermissions = async (machine: Machine, loaded: LoadedConfig): Promise<Finding[]> => {
  const { config, file } = loaded;
  const findings = (
    await Promise.all([
      closed(machine, config.node.state_dir, 'the state folder', `chmod 700 ${config.node.state_dir}`),
      closed(machine, config.plugins.path, 'the plugins’ folder', `chown root: and chmod go-w ${config.plugins.path}`),
      file === null ? [] : closed(machine, file, 'the configuration', `chown root: and chmod go-w ${file}`),
      file === null ? [] : exposed(machine, loaded, file),
      socketFindings(machine, config.node.socket),
    ])
  ).flat();
  return findings.length > 0 ? findings : [fine('permissions', 'state folder, plugins, configuration and socket')];
};

const closed = async (machine: Machine, path: string, name: string, remedy: string): Promise<Finding[]> => {
  const found = await machine.file(path);
  if (found === undefined) return [];
  if ((found.mode & writableByOthers) !== 0)
    return [wrong('permissions', `others can write to ${name} ${path} (${octal(found)})`, remedy)];
  return [];
};

const exposed = async (machine: Machine, loaded: LoadedConfig, file: string): Promise<Finding[]> =>
  exposuresOf(loaded, await machine.file(file), machine.uid).map(({ what, remedy }) =>
    wrong('permissions', what, remedy),
  );

const socketFindings = async (machine: Machine, path: string): Promise<Finding[]> => {
  const found = await machine.file(path);
  if (found === undefined) return [];
  if (found.kind !== 'socket')
    return [wrong('permissions', `${path} is not a socket`, 'Move the file away, and restart triggerd.')];
  if ((found.mode & 0o007) !== 0)
    return [
      wrong('permissions', `everybody can use the control socket ${path} (${octal(found)})`, `chmod 660 ${path}`),
    ];
  return [];
};

const octal = ({ mode }: FileFacts): string => `mode 0${mode.toString(8)}`;

/** What mounting trigger files needs of the machine. */
export const checkFuse = async (machine: Machine, config: Config): Promise<Finding[]> => [
  await meansFinding(machine, config),
  // Also where no mount is configured any more: whoever writes to an earlier one does not know.
  ...(await machine.holdersOfDeadMounts()).map(holderFinding),
];

const meansFinding = async (machine: Machine, { triggerfs }: Config): Promise<Finding> => {
  if (triggerfs.mountpoint === undefined) return unused('FUSE', 'no trigger files here ([triggerfs] mountpoint)');
  if ((await machine.file('/dev/fuse')) === undefined)
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

const oldMs = 300_000;

/** Firings that etcd does not have yet, and documents that were set aside. */
export const checkSpool = async (
  { machine, now }: Surroundings,
  folder: string,
  oldestAt: string | null,
): Promise<Finding[]> => {
  if ((await machine.file(folder)) === undefined)
    return [fine('spool', `nothing waits (${folder} is created when a firing waits)`)];
  const waiting = (await machine.names(folder)).filter(
    (name) => name.endsWith('.json') && !name.startsWith('.'),
  ).length;
  const rejected = (await machine.names(`${folder}/rejected`)).filter((name) => name.endsWith('.json')).length;
  const findings = waiting === 0 ? [fine('spool', 'nothing waits')] : [waitingFinding(waiting, oldestAt, now())];
  if (rejected > 0) {
    const what = `${rejected} ${rejected === 1 ? 'document was' : 'documents were'} refused`;
    findings.push(warning('spool', what, `Read ${folder}/rejected/*.reason, then delete them.`));
  }
  return findings;
};

const waitingFinding = (waiting: number, oldestAt: string | null, now: number): Finding => {
  const age = oldestAt === null ? 0 : now - Date.parse(oldestAt);
  const firings = `${waiting} ${waiting === 1 ? 'firing waits' : 'firings wait'} for etcd`;
  if (age > oldMs) {
    const what = `${firings}, the oldest for ${formatDuration(Math.round(age / 60_000) * 60_000)}`;
    return wrong('spool', what, 'Make etcd reachable. Until then, nothing is lost.');
  }
  return warning('spool', firings, 'The daemon, or the next Puppet run, publishes them when etcd answers.');
};
