import type { TestEtcd } from './etcd.ts';
import { compact, type Fleet, type FleetNode } from './fleet.ts';
import type { Random } from './random.ts';

/** Faults at random until it is stopped; then everything is whole again. */
export interface Storm {
  /** How often each fault has struck. A daemon that is up and not ready within 20 s counts as `slow start`. */
  readonly strikes: ReadonlyMap<string, number>;
  stop(): Promise<void>;
}

export interface StormOptions {
  readonly fleet: Fleet;
  readonly random: Random;
  /** Between two faults, ms. */
  readonly every: readonly [number, number];
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export const startStorm = ({ fleet, random, every }: StormOptions): Storm => {
  const strikes = new Map<string, number>();
  const busy = new Set<object>();
  const going = new Set<Promise<void>>();
  const broken: unknown[] = [];
  let isOver = false;

  const count = (name: string): void => void strikes.set(name, (strikes.get(name) ?? 0) + 1);
  /** One fault on one thing at a time; its repair continues beside the next faults. */
  const strike = (name: string, on: object, fault: () => Promise<void>): void => {
    if (busy.has(on)) return;
    busy.add(on);
    count(name);
    const work = fault()
      .catch((error: unknown) => void broken.push(error))
      .finally(() => {
        busy.delete(on);
        going.delete(work);
      });
    going.add(work);
  };

  const faults: readonly (() => void)[] = [
    () => onNode('daemon killed', (node) => killDaemon(node, random.between(0, 500), () => count('slow start'))),
    () => onNode('daemon frozen', (node) => freezeDaemon(node, random.between(100, 1_500))),
    () => onMember('etcd member killed', (member) => killMember(member, random.between(0, 1_500))),
    () => onMember('etcd member frozen', (member) => freezeMember(member, random.between(100, 2_000))),
    () => onNode('connections cut', async ({ links }) => links.forEach((link) => void link.cut())),
    () => onNode('network away', (node) => away(node, random.between(100, 2_000))),
    () => onNode('network stalled', (node) => stalled(node, random.between(100, 2_000))),
    () => onNode('answers dropped', (node) => deaf(node, random.between(100, 1_000))),
    () => strike('compaction', fleet, () => compactNow(fleet)),
  ];
  const onNode = (name: string, fault: (node: FleetNode) => Promise<void>): void => {
    const node = random.pick(fleet.nodes);
    strike(name, node, () => fault(node));
  };
  /** One member at a time: two would only be a pause for everybody (B4 shows that). */
  const onMember = (name: string, fault: (member: TestEtcd) => Promise<void>): void =>
    strike(name, fleet.etcd, () => fault(random.pick(fleet.etcd)));

  const loop = (async () => {
    while (!isOver) {
      await sleep(random.between(...every));
      if (!isOver) random.pick(faults)();
    }
  })();
  return {
    strikes,
    stop: async () => {
      isOver = true;
      await loop;
      await Promise.all(going);
      if (broken.length > 0) throw broken[0];
    },
  };
};

const killDaemon = async (node: FleetNode, downMs: number, onSlow: () => void): Promise<void> => {
  await node.crash();
  await sleep(downMs);
  try {
    await node.start();
  } catch (error) {
    if (!String(error).includes('waited')) throw error;
    onSlow();
  }
};

const freezeDaemon = async (node: FleetNode, ms: number): Promise<void> => {
  node.signal('SIGSTOP');
  await sleep(ms);
  node.signal('SIGCONT');
};

const killMember = async (member: TestEtcd, downMs: number): Promise<void> => {
  await member.kill();
  await sleep(downMs);
  await member.start();
};

const freezeMember = async (member: TestEtcd, ms: number): Promise<void> => {
  member.freeze();
  await sleep(ms);
  member.thaw();
};

const away = async ({ links }: FleetNode, ms: number): Promise<void> => {
  for (const link of links) {
    link.refuse();
    link.cut();
  }
  await sleep(ms);
  for (const link of links) link.accept();
};

const stalled = async ({ links }: FleetNode, ms: number): Promise<void> => {
  for (const link of links) link.stall();
  await sleep(ms);
  for (const link of links) link.resume();
};

/** What is sent arrives and is done; the answers don't. A connection that has lost bytes is of no use after that. */
const deaf = async ({ links }: FleetNode, ms: number): Promise<void> => {
  for (const link of links) link.drop('to-client');
  await sleep(ms);
  for (const link of links) {
    link.drop('nothing');
    link.cut();
  }
};

const compactNow = async (fleet: Fleet): Promise<void> => {
  try {
    const { revision } = await fleet.keyspace.store.list(fleet.keyspace.keys.nodes);
    await Promise.any(fleet.etcd.map((member) => compact(member, revision)));
  } catch {
    // Nobody to ask now: another time.
  }
};
