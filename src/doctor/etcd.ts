import { asTriggerdError, errorCatalogue } from '../domain/errors.ts';
import { formatDuration } from '../kit/duration.ts';
import { whatOpenEtcdMeans } from '../store/open-etcd.ts';
import { defaultQuotaBytes, type EtcdSpace, isFilling, isNearlyFull } from '../store/space.ts';
import { type Finding, fine, unused, warning, wrong } from './finding.ts';
import type { EtcdMember, EtcdProbe } from './ports.ts';

const slowMs = 100;

type EtcdAnswer = { readonly endpoint: string } & (
  | { readonly member: EtcdMember; readonly isOpen?: boolean }
  | { readonly problem: string; readonly remedy: string }
);

/** Asks every endpoint, at the same time. */
export const askEtcd = (probe: EtcdProbe, endpoints: readonly string[]): Promise<EtcdAnswer[]> =>
  Promise.all(
    endpoints.map(async (endpoint): Promise<EtcdAnswer> => {
      try {
        const member = await probe.member(endpoint);
        return { endpoint, member, isOpen: await probe.isOpenToStrangers(endpoint) };
      } catch (thrown) {
        const error = asTriggerdError(thrown);
        return { endpoint, problem: error.message, remedy: errorCatalogue[error.code].remedy };
      }
    }),
  );

/** Reachable, closed to strangers, healthy, roomy, quick, and without known defects? */
export const checkEtcd = (answers: readonly EtcdAnswer[]): Finding[] => {
  const someAnswer = answers.some((answer) => 'member' in answer);
  const versions = new Set(answers.flatMap((answer) => ('member' in answer ? [answer.member.version] : [])));
  return [
    ...answers.flatMap((answer): Finding[] => {
      if ('member' in answer)
        return [...memberFindings(answer.endpoint, answer.member), ...(answer.isOpen ? [openFinding(answer)] : [])];
      return [(someAnswer ? warning : wrong)('etcd', answer.problem, answer.remedy)];
    }),
    ...[...versions].flatMap(versionFindings),
  ];
};

const openFinding = ({ endpoint }: EtcdAnswer): Finding =>
  wrong('etcd', `${endpoint}: ${whatOpenEtcdMeans(endpoint)}`, errorCatalogue['etcd-open'].remedy);

const memberFindings = (endpoint: string, member: EtcdMember): Finding[] => {
  const { version, latencyMs } = member;
  const troubles = troublesOf(endpoint, member);
  return troubles.length > 0
    ? troubles
    : [fine('etcd', `${endpoint}: etcd ${version}, answers in ${inWords(latencyMs)}, ${sizeOf(member)}`)];
};

/** What is in use is what counts until the file itself comes near its end. */
const spaceFindings = (endpoint: string, member: EtcdMember): Finding[] => {
  const space = spaceOf(member);
  const what = `${endpoint}: ${sizeOf(member)}`;
  if (isNearlyFull(space))
    return [
      wrong(
        'etcd',
        `${what}; the registry accepts nothing more, and soon etcd accepts no firings`,
        errorCatalogue['etcd-no-space'].remedy,
      ),
    ];
  if (!isFilling(space)) return [];
  const remedy =
    'Keep less ([history]), let the sweeper compact and defragment ([sweeper] upkeep), or raise the quota.';
  return [warning('etcd', what, remedy)];
};

const spaceOf = ({ dbBytes: fileBytes, usedBytes, quotaBytes }: EtcdMember): EtcdSpace => ({
  fileBytes,
  usedBytes,
  quotaBytes: quotaBytes ?? defaultQuotaBytes,
});

const sizeOf = ({ dbBytes, usedBytes, quotaBytes }: EtcdMember): string => {
  const quota = quotaBytes === null ? `${inMiB(defaultQuotaBytes)}, etcd’s default` : inMiB(quotaBytes);
  return `${inMiB(usedBytes)} in use, a file of ${inMiB(dbBytes)} of ${quota}`;
};

const troublesOf = (endpoint: string, member: EtcdMember): Finding[] => {
  const { hasLeader, isLearner, latencyMs, complaints } = member;
  const troubles: Finding[] = [];
  if (!hasLeader)
    troubles.push(wrong('etcd', `${endpoint}: has no leader`, 'Start the other members: more than half must run.'));
  if (isLearner)
    troubles.push(warning('etcd', `${endpoint}: is only a learner`, 'Promote it: etcdctl member promote.'));
  for (const complaint of complaints) troubles.push(wrong('etcd', `${endpoint}: ${complaint}`, remedyFor(complaint)));
  troubles.push(...spaceFindings(endpoint, member));
  if (latencyMs > slowMs) {
    const what = `${endpoint}: a read takes ${inWords(latencyMs)}`;
    troubles.push(warning('etcd', what, 'Check the disks of the members and the network between them.'));
  }
  return troubles;
};

const remedyFor = (complaint: string): string =>
  complaint.includes('NOSPACE') ? errorCatalogue['etcd-no-space'].remedy : 'See etcd’s log.';

const versionFindings = (version: string): Finding[] => {
  if (isTooOld(version))
    return [wrong('etcd', `${version} is too old`, 'Use etcd 3.4 or newer, preferably 3.5 or 3.6.')];
  const defects = knownDefects(version);
  const words = [...(isEndOfLife(version) ? ['gets no more fixes'] : []), ...defects];
  if (words.length === 0) return [];
  const remedy =
    'Update etcd. Until then, triggerd lists its inbox each minute and does not rely on access control in etcd.';
  return [warning('etcd', `${version}: ${words.join('; ')}`, remedy)];
};

/** `1.2 ms`, `137 ms`, `1.3 s`. */
const inWords = (ms: number): string =>
  ms < 10 ? `${ms.toFixed(1)} ms` : ms < 1_000 ? `${ms.toFixed(0)} ms` : `${(ms / 1_000).toFixed(1)} s`;

const inMiB = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(bytes < 2 ** 30 ? 1 : 0)} MiB`;

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

/** From here on outcomes say it, too. */
const tooFarMs = 30_000;
const notableMs = 5_000;
const remedy = 'Let NTP keep the clocks of all nodes: `timedatectl`, chrony or systemd-timesyncd.';

/** Expiry, retention and ids go by wall clocks: those of the nodes and of etcd should agree. */
export const checkClock = (answers: readonly EtcdAnswer[]): Finding[] => {
  const skews = answers.flatMap((answer) =>
    'member' in answer && answer.member.clockAheadMs !== null
      ? [{ endpoint: answer.endpoint, aheadMs: answer.member.clockAheadMs }]
      : [],
  );
  const [worst] = skews.sort((a, b) => Math.abs(b.aheadMs) - Math.abs(a.aheadMs));
  if (worst === undefined) return [unused('clock', 'nothing to compare with: no member of etcd told its time')];
  const off = Math.abs(worst.aheadMs);
  if (off < notableMs)
    return [fine('clock', `within ${off < 1500 ? 'a second or so' : formatDuration(roundS(off))} of etcd’s`)];
  const what = `${formatDuration(roundS(off))} ${worst.aheadMs > 0 ? 'ahead of' : 'behind'} ${worst.endpoint}`;
  return [(off >= tooFarMs ? wrong : warning)('clock', what, remedy)];
};

const roundS = (ms: number): number => Math.round(ms / 1000) * 1000;
