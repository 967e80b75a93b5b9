import { formatDuration } from '../kit/duration.ts';
import type { EtcdAnswer } from './etcd.ts';
import { type Finding, fine, unused, warning, wrong } from './finding.ts';

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
