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

/** The four of one area. */
export const findingsIn = (area: Area) => ({
  fine: (what: string): Finding => fine(area, what),
  unused: (what: string): Finding => unused(area, what),
  warning: (what: string, remedy: string): Finding => warning(area, what, remedy),
  wrong: (what: string, remedy: string): Finding => wrong(area, what, remedy),
});
