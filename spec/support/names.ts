import type { Holder } from '../../src/fleet/names/holder.ts';
import { NodeName } from '../../src/fleet/names/node-name.ts';
import type { Life, NameHost, NameMemory, NodeNameOptions, Remembered } from '../../src/fleet/names/ports.ts';
import type { Keyspace } from '../../src/store/keys.ts';
import { recordingLog } from './recording-log.ts';

/** A process that could have a name. `lives`: what it sees of others, by their instances; `unknown` of all the rest. */
export const fakeHost = (instance: string, machine = 'm1', lives: Readonly<Record<string, Life>> = {}): NameHost => ({
  self: {
    instance,
    machine,
    host: `host-${machine}`,
    address: '192.0.2.1',
    pid: 1,
    boot: `boot-${machine}`,
    pid_namespace: 'pid:[1]',
    started: '1',
  },
  lifeOf: (holder) => lives[holder.instance] ?? 'unknown',
});

/** A state folder's memory, without a folder. */
export const fakeMemory = (
  remembered: Remembered = { instances: [] },
): NameMemory & { readonly remembered: Remembered } => {
  let kept = remembered;
  return {
    get remembered() {
      return kept;
    },
    read: () => kept,
    write: (_node, now) => {
      kept = now;
    },
  };
};

/** A name that tells nobody; the options that matter come over these. */
export const someName = (keyspace: Keyspace, options: Partial<NodeNameOptions> = {}): NodeName =>
  new NodeName({
    ...keyspace,
    node: 'lb01',
    version: '1',
    describe: () => ({ roles: ['watch'], startedAt: 0, queues: {} }),
    takeover: 'auto',
    host: fakeHost('i1'),
    memory: fakeMemory(),
    clock: { now: () => Date.now() },
    log: recordingLog(),
    tell: () => undefined,
    ...options,
  });

export const someHolder = (changes: Partial<Holder> = {}): Holder => ({
  node: 'lb01',
  ...fakeHost('i0').self,
  version: '1',
  since: '2026-11-20T11:00:00.000Z',
  ...changes,
});
