/** Defects of etcd that touch us, by version; from etcd's own changelogs and advisories. */
interface Defect {
  /** First release of its line that has the fix, e.g. `3.4.31`. Lines that are not named never had it, or never get it. */
  readonly fixedIn: readonly string[];
  readonly what: string;
}

const defects: readonly Defect[] = [
  { fixedIn: ['3.5.3'], what: 'members may diverge after a crash (#13766)' },
  { fixedIn: ['3.4.25'], what: 'a watch may travel back in time after a snapshot (#15271)' },
  { fixedIn: ['3.4.31', '3.5.13'], what: 'watch events lost after a compaction (#17529)' },
  { fixedIn: ['3.4.42'], what: 'nested transactions bypass access control (CVE-2026-33343)' },
  {
    fixedIn: ['3.4.999', '3.5.33', '3.6.14', '3.7.1'],
    what: 'open-ended watches bypass access control (CVE-2026-73499)',
  },
];

/** Lines that get no fixes any more. */
const ended = ['3.3', '3.4'];

const numbersOf = (version: string): [number, number, number] => {
  const [major = 0, minor = 0, patch = 0] = version.split(/[.+-]/).map(Number);
  return [major, minor, patch];
};
const lineOf = (version: string): string => numbersOf(version).slice(0, 2).join('.');

/** What is known to be wrong with this version of etcd, in a few words each. */
export const knownDefects = (version: string): string[] => {
  const isBefore = (fix: string): boolean =>
    lineOf(fix) === lineOf(version) && numbersOf(version)[2] < numbersOf(fix)[2];
  return defects.filter(({ fixedIn }) => fixedIn.some(isBefore)).map(({ what }) => what);
};

export const isEndOfLife = (version: string): boolean => ended.includes(lineOf(version));

/** Older ones have no v3 gateway at the place where the Puppet provider looks for it. */
export const isTooOld = (version: string): boolean => {
  const [major, minor] = numbersOf(version);
  return major < 3 || (major === 3 && minor < 4);
};
