import type { LoadedConfig } from '../config/config.ts';
import { exposuresOf } from '../config/exposure.ts';
import { type Finding, fine, wrong } from './finding.ts';
import type { Machine, Place } from './ports.ts';

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
  const place = await machine.place(path);
  if (place === undefined) return [];
  if ((place.mode & writableByOthers) !== 0)
    return [wrong('permissions', `others can write to ${name} ${path} (${octal(place)})`, remedy)];
  return [];
};

const exposed = async (machine: Machine, loaded: LoadedConfig, file: string): Promise<Finding[]> =>
  exposuresOf(loaded, await machine.place(file), machine.uid).map(({ what, remedy }) =>
    wrong('permissions', what, remedy),
  );

const socketFindings = async (machine: Machine, path: string): Promise<Finding[]> => {
  const place = await machine.place(path);
  if (place === undefined) return [];
  if (place.kind !== 'socket')
    return [wrong('permissions', `${path} is not a socket`, 'Move the file away, and restart triggerd.')];
  if ((place.mode & 0o007) !== 0)
    return [
      wrong('permissions', `everybody can use the control socket ${path} (${octal(place)})`, `chmod 660 ${path}`),
    ];
  return [];
};

const octal = ({ mode }: Place): string => `mode 0${mode.toString(8)}`;
