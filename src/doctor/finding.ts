/** What `trigger doctor` looks at, one line of its screen each. */
export type Area =
  | 'configuration'
  | 'daemon'
  | 'name'
  | 'etcd'
  | 'clock'
  | 'certificates'
  | 'Puppet'
  | 'queues'
  | 'spool'
  | 'disk'
  | 'permissions'
  | 'FUSE'
  | 'broker';

/** Areas that can be looked at alone. `daemon` says its name and its queues, too. */
export const checkedAreas = [
  'configuration',
  'daemon',
  'etcd',
  'clock',
  'certificates',
  'Puppet',
  'spool',
  'disk',
  'permissions',
  'FUSE',
  'broker',
] as const satisfies readonly Area[];
export type CheckedArea = (typeof checkedAreas)[number];

/** `warning`: works, but somebody should know. `wrong`: does not work, or will not for long. `unused`: not configured here. */
export type Finding =
  | { readonly area: Area; readonly state: 'fine' | 'unused'; readonly what: string }
  | { readonly area: Area; readonly state: 'warning' | 'wrong'; readonly what: string; readonly remedy: string };

export const fine = (area: Area, what: string): Finding => ({ area, state: 'fine', what });
export const unused = (area: Area, what: string): Finding => ({ area, state: 'unused', what });
export const warning = (area: Area, what: string, remedy: string): Finding => ({
  area,
  state: 'warning',
  what,
  remedy,
});
export const wrong = (area: Area, what: string, remedy: string): Finding => ({ area, state: 'wrong', what, remedy });
