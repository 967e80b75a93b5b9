/** What a daemon costs that has nothing to do: memory and CPU time after its start, with etcd there and with etcd away. */
import { readFileSync } from 'node:fs';
import type { Bench } from './support/bench.ts';
import { startProgram } from './support/peer.ts';
import type { Row } from './support/row.ts';
import { sleep } from './support/samples.ts';

/** What the start itself leaves behind is not idling yet. */
/** V8 tidies its heap once in the first half minute of idling; that belongs to the start. */
const settleMs = 35_000;
const windowMs = 12_000;
/** `sysconf(_SC_CLK_TCK)`, which is 100 on every Linux that Node runs on. */
const msPerTick = 10;

export const idle = async (bench: Bench): Promise<Row[]> => {
  const etcd = await bench.etcd();
  const connected = await bench.daemon({ name: 'bench', etcd: [etcd.endpoint] });
  const away = await bench.daemon({ name: 'away', etcd: ['http://127.0.0.1:9'] });
  const bare = startProgram(bench, process.execPath, ['-e', 'setInterval(() => {}, 1e6)']);
  const pids = [connected.pid(), away.pid(), bare.pid ?? 0];

  await sleep(settleMs);
  const before = pids.map(cpuMs);
  await sleep(windowMs);
  const cpu = pids.map((pid, index) => ((cpuMs(pid) - (before[index] ?? 0)) / windowMs) * 100);
  const memory = pids.map(residentMb);

  const name = 'node, idle';
  return ['with etcd', 'etcd away'].flatMap((state, index): Row[] => [
    {
      figure: `idle, ${state}: memory`,
      unit: 'MB',
      ours: memory[index] ?? 0,
      peer: { name, value: memory[2] ?? 0 },
      aim: { of: 'ours', at: 'most', bound: 100 },
    },
    {
      figure: `idle, ${state}: CPU`,
      unit: '% of a CPU',
      ours: cpu[index] ?? 0,
      peer: { name, value: cpu[2] ?? 0 },
      aim: { of: 'ours', at: 'most', bound: 1 },
    },
  ]);
};

/** MB are 10^6 bytes here. */
const residentMb = (pid: number): number =>
  (Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024) / 1e6;

const cpuMs = (pid: number): number => {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * msPerTick;
};
