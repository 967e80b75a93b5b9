import type { Client } from '../../client/client.ts';
import { asTriggerdError } from '../../domain/errors.ts';
import type { Log } from '../../kit/log.ts';
import { Outage } from '../../kit/outage.ts';
import { pause } from '../../kit/pause.ts';
import type { TreeSource } from '../../mount/delivery-ports.ts';
import type { TreeChange } from '../../mount/ports.ts';
import { type TreeSnapshot, treeOfRows } from '../../mount/tree.ts';
import type { Definition, Directory, TreeNode } from '../../registry/model.ts';
import type { Registry } from '../../registry/registry.ts';
import type { DefinitionRow, DirectoryRow } from '../../registry/rows.ts';

/** What of a connection a tree needs. */
interface Asking {
  client(): Promise<Pick<Client, 'registry'>>;
}

/** Changes are always the user's own, over the bus: the broker decides what this user may do. */
const executeOverBus = async (connection: Asking, team: string, change: TreeChange): Promise<void> => {
  const client = await connection.client();
  await client.registry({ ...change, team });
};

/** The tree as the registry's mirror has it, live from etcd; what others keep to themselves is not in it. */
export const mirroredTree = (
  registry: Registry,
  { team, identity }: { readonly team: string; readonly identity: string | undefined },
  connection: Asking,
): TreeSource => ({
  current: () => {
    if (registry.mirror.state === undefined) return undefined;
    const { users } = registry.mirror.state;
    // By number: a namesake who came later owns nothing of what was there.
    const own = identity === undefined ? undefined : users.get(identity)?.id;
    const nodes = [...registry.mirror.state.holdings(team).nodes.values()];
    const isShown = (node: TreeNode): node is Definition =>
      node.kind === 'definition' && (node.visibility !== 'local' || node.owner_id === own);
    const isDirectory = (node: TreeNode): node is Directory => node.kind === 'directory';
    return { team, directories: nodes.filter(isDirectory), definitions: nodes.filter(isShown) };
  },
  onChange: (listener) => registry.mirror.onChange(listener),
  execute: async (change) => {
    await executeOverBus(connection, team, change);
    await caughtUp(registry, team);
  },
  refresh: () => caughtUp(registry, team),
});

/** The answer to a question is at least as new as all changes before it, and so is the mirror then. */
const caughtUp = async (registry: Registry, team: string): Promise<void> => {
  await registry.execute({ kind: 'local' }, { verb: 'directory.list', team });
};

/** Between two looks of a mount that has no etcd: what others change is there within a second. */
const pollMs = 500;

/** Then the whole tree is asked for again: somebody may have edited etcd itself, or put back an older one. */
const wholeMs = 60_000;

/** The tree by asking a broker again and again, for a mount without etcd. While nothing changes that is one small message each way. */
export class PolledTree implements TreeSource {
  readonly #team: string;
  readonly #connection: Asking;
  readonly #away: Outage;
  readonly #stop = new AbortController();
  readonly #listeners = new Set<() => void>();
  #running: Promise<void> | undefined;
  #asked: Promise<void> | undefined;
  #known = { revision: '', at: 0 };
  #text = '';
  #tree: TreeSnapshot | undefined;

  constructor(team: string, connection: Asking, log: Log) {
    this.#team = team;
    this.#connection = connection;
    this.#away = new Outage(log, {
      begins: 'No broker lists the trigger files; the last known ones stay, and messages wait',
      ends: 'A broker lists the trigger files again',
    });
  }

  start(): void {
    this.#running = this.#poll();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  current(): TreeSnapshot | undefined {
    return this.#tree;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Many ask at the same time, at the start. */
  ask(): Promise<void> {
    this.#asked ??= this.#look().finally(() => {
      this.#asked = undefined;
    });
    return this.#asked;
  }

  refresh(): Promise<void> {
    return this.#look();
  }

  async execute(change: TreeChange): Promise<void> {
    await executeOverBus(this.#connection, this.#team, change);
    await this.#look();
  }

  #seen(): string {
    const { revision, at } = this.#known;
    return performance.now() - at < wholeMs ? revision : '';
  }

  async #poll(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      let waitMs = pollMs;
      try {
        await this.#look();
        this.#away.over();
      } catch (error) {
        waitMs = this.#away.failed(asTriggerdError(error));
      }
      await pause(waitMs, this.#stop.signal);
    }
  }

  /** The revision is that of the first answer: what happens before the second one is seen the next time. */
  async #look(): Promise<void> {
    const client = await this.#connection.client();
    const directories = await client.registry({ verb: 'directory.list', team: this.#team }, this.#seen());
    if (directories.unchanged) return;
    const definitions = await client.registry({ verb: 'definition.list', team: this.#team });
    this.#known = { revision: directories.revision ?? '', at: performance.now() };
    const tree = treeOfRows(
      this.#team,
      directories.rows as readonly DirectoryRow[],
      definitions.rows as readonly DefinitionRow[],
    );
    const text = JSON.stringify(tree);
    if (text === this.#text) return;
    this.#text = text;
    this.#tree = tree;
    for (const listener of this.#listeners) listener();
  }
}
