import { TriggerdError } from '../domain/errors.ts';
import type { Log } from '../kit/log.ts';
import { startTimer } from '../kit/timer.ts';
import { unlessAborted } from '../kit/unless-aborted.ts';
import type { Definition } from '../registry/model.ts';
import type { Seen } from './attributes.ts';
import { Deliveries } from './deliveries.ts';
import type { Delivery, MessageSpool, RequestSender, TreeSource, TriggerOutput } from './delivery-ports.ts';
import { EndedWrites } from './ended-writes.ts';
import { FsError } from './errno.ts';
import { GroupCommit } from './group-commit.ts';
import type { Content, Gateway, TreeChange } from './ports.ts';
import { renderLog, renderStatus } from './render.ts';
import { type Clocks, SpoolClock } from './spool-clock.ts';
import { syncMs } from './sync-time.ts';
import { Tree, type TreeSnapshot } from './tree.ts';

export interface NodeGatewayOptions {
  readonly spool: MessageSpool;
  readonly sender: RequestSender;
  readonly source: TreeSource;
  /** How long an asynchronous message is tried, where its trigger does not say it. */
  readonly deadlineMs: number;
  /** What may be on disk: dead letters make room for what waits, more is refused. */
  readonly maxSpooledBytes: number;
  readonly newId: () => string;
  readonly clocks: Clocks;
  /** Hears every tree that the mount is to show, the first one at once. */
  readonly onTree: (tree: TreeSnapshot) => void;
  /** What `ls` is to show of triggers that were hit. */
  readonly onSeen: (seen: ReadonlyMap<number, Seen>) => void;
  /** A request of a trigger file has ended: what the documentation shows on the terminal and in the log file. */
  readonly onOutput: (definition: Definition, output: TriggerOutput) => void;
  readonly log: Log;
}

/** The registry may change often: the tree is saved this much later. */
const saveMs = 1_000;
/** Between two looks at it: the registry tells of each hit of each node, and a look costs as much as the tree is large. */
const lookMs = 100;

/** What a mount asks of its daemon, answered from the journal, the registry and the services. */
export class NodeGateway implements Gateway {
  readonly #options: NodeGatewayOptions;
  readonly #commit: GroupCommit;
  readonly #clock: SpoolClock;
  readonly #deliveries: Deliveries;
  readonly #ends: EndedWrites;
  #tree: Tree | undefined;
  #text = '';
  /** The tree is the registry's, not one of an earlier life. */
  #isCurrent = false;
  #saving: (() => void) | undefined;
  #resting: (() => void) | undefined;
  #hasChanged = false;
  #forget: () => void;

  /** Throws `journal-failed`. */
  constructor(options: NodeGatewayOptions) {
    const { spool, sender, source, deadlineMs, maxSpooledBytes, clocks, log } = options;
    this.#options = options;
    this.#commit = new GroupCommit(spool, maxSpooledBytes, (count) =>
      log.error({ count }, 'Deleted the oldest dead letters to make space for messages'),
    );
    this.#clock = new SpoolClock(spool, clocks);
    this.#ends = new EndedWrites(spool, log);
    this.#deliveries = new Deliveries({
      ...{ spool, newId: options.newId, deadlineMs, log },
      now: () => this.#clock.now(),
      // Outputs are kept in the order in which they came.
      sender: { send: (request) => sender.send(request).finally(() => this.#ends.write()) },
      definitionOf: (id) => this.#tree?.definition(id),
      isTreeCurrent: () => this.#isCurrent,
      askForTree: source.ask === undefined ? undefined : () => this.#askForTree(),
      onSettled: ({ payload, definition }, output) => {
        if (output === undefined) return this.#commit.buried(payload.length);
        this.#commit.delivered(payload.length);
        this.#ended(definition, output);
      },
    });
    this.#forget = source.onChange(() => this.#changed());
    this.#look();
  }

  start(): void {
    this.#deliveries.start();
  }

  async stop(): Promise<void> {
    this.#forget();
    this.#resting?.();
    this.#saving?.();
    if (this.#saving !== undefined) this.#save();
    await this.#deliveries.stop();
    this.#ends.stop();
  }

  /** What `ls` shows of everything that ever happened here. */
  seen(): ReadonlyMap<number, Seen> {
    this.#ends.write();
    return new Map([...this.#options.spool.counts()].map(([id, { size, hitAt }]) => [id, { size, hitAt }]));
  }

  knows(definition: number): boolean {
    return this.#tree?.definition(definition) !== undefined;
  }

  async spool(definition: number, messages: readonly Buffer[], durable: boolean): Promise<void> {
    const { newId, clocks } = this.#options;
    try {
      const at = { since: this.#clock.now(), writtenAt: clocks.now() };
      await this.#commit.add(messages.map((payload) => ({ id: newId(), definition, payload, ...at })));
      this.#deliveries.wake(definition);
    } catch (error) {
      if (!durable) this.#options.log.error({ error, definition }, 'Messages of a trigger file are lost');
      throw error;
    }
  }

  /** Dead letters of this trigger, or of all, wait again. How many. Throws `journal-failed`. */
  revive(definition: number | undefined): number {
    const { spool, newId } = this.#options;
    const revived = spool.revive(definition, newId, this.#clock.now());
    for (const { definition, bytes } of revived) {
      this.#commit.revived(bytes);
      this.#deliveries.wake(definition);
    }
    return revived.length;
  }

  async send(id: number, payload: Buffer): Promise<Buffer> {
    const definition = this.#definition(id);
    const { sender, newId, clocks } = this.#options;
    const hitAt = clocks.now();
    const timeout = new AbortController();
    const cancel = startTimer(syncMs(definition), () => timeout.abort());
    const sent = sender.send({ id: newId(), definition, payload, resume: false, signal: timeout.signal });
    const delivery = await unlessAborted(sent, timeout.signal, timedOut).finally(cancel);
    const output = delivery.kind === 'ended' ? delivery.output : undefined;
    this.#ends.add({ definition: id, hitAt, output });
    if (delivery.kind === 'failed') throw delivery.error;
    this.#ended(id, delivery.output);
    return succeeded(definition, delivery.output);
  }

  async execute(change: TreeChange): Promise<void> {
    await this.#options.source.execute(change);
    this.#look();
  }

  /** A broker that is away does not keep us: what is known counts then. */
  async refresh(): Promise<void> {
    await this.#options.source.refresh?.().catch(() => undefined);
    this.#look();
  }

  async content(id: number, what: Content): Promise<Buffer> {
    this.#ends.write();
    const outputs = this.#options.spool.outputs(id);
    if (what === 'result') return outputs[0]?.output ?? Buffer.alloc(0);
    if (what === 'log') return renderLog(outputs);
    return renderStatus(this.#definition(id), this.#options.spool.counts().get(id), outputs[0]);
  }

  /** `ls` knows it when the writer does; the log has time. */
  #ended(id: number, output: TriggerOutput): void {
    const { onSeen, onOutput, clocks } = this.#options;
    onSeen(new Map([[id, { size: output.output.length, hitAt: clocks.now() }]]));
    const definition = this.#tree?.definition(id);
    if (definition !== undefined) setImmediate(() => onOutput(definition, output));
  }

  #definition(id: number): Definition {
    const definition = this.#tree?.definition(id);
    if (definition === undefined) throw new FsError('ESTALE', `trigger ${id} is gone`);
    return definition;
  }

  async #askForTree(): Promise<void> {
    await this.#options.source.ask?.();
    this.#look();
  }

  /** The first change shows at once, the next ones of a tenth of a second together. */
  #changed(): void {
    this.#hasChanged = true;
    if (this.#resting !== undefined) return;
    this.#look();
    this.#rest();
  }

  #rest(): void {
    this.#resting = startTimer(lookMs, () => {
      this.#resting = undefined;
      if (this.#hasChanged) this.#changed();
    });
  }

  /** Before the registry could be read, the tree is the one that was known last. */
  #look(): void {
    const { source, spool } = this.#options;
    this.#hasChanged = false;
    const current = source.current();
    this.#isCurrent = current !== undefined;
    const snapshot = current ?? (this.#tree === undefined ? spool.savedTree() : undefined);
    if (snapshot === undefined) return;
    const text = JSON.stringify(snapshot);
    if (text === this.#text) return;
    this.#text = text;
    this.#tree = new Tree(snapshot);
    this.#options.onTree(snapshot);
    if (current !== undefined) this.#saving ??= startTimer(saveMs, () => this.#save());
  }

  #save(): void {
    this.#saving = undefined;
    const { source, spool, log } = this.#options;
    const current = source.current();
    if (current === undefined) return;
    try {
      spool.saveTree(current);
    } catch (error) {
      log.warn(
        { error },
        'Cannot store the tree; until its next change, a start without the registry shows an older one',
      );
    }
  }
}

const timedOut = (): Delivery => ({
  kind: 'failed',
  error: new TriggerdError('timed-out', 'the trigger’s timeout has passed'),
});

/** A synchronous writer hears of a job that failed. */
const succeeded = ({ name }: Definition, { result, exitCode, reason, output }: TriggerOutput): Buffer => {
  if (result === 'succeeded') return output;
  const how = `${name}: ${result}${exitCode === null ? '' : ` (${exitCode})`}${reason === null ? '' : `: ${reason}`}`;
  throw new FsError(result === 'timed-out' ? 'ETIMEDOUT' : 'EIO', how);
};
