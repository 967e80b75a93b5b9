import { asTriggerdError, TriggerdError } from '../../domain/errors.ts';
import type { Firing, FiringId } from '../../domain/firing.ts';
import type { Log } from '../../kit/log.ts';
import { Outage } from '../../kit/outage.ts';
import { Alarm, pause } from '../../kit/pause.ts';
import { isEtcdAway } from '../../store/etcd-away.ts';
import type { Keyspace } from '../../store/keys.ts';
import type { Spool, SpooledDocument, SpooledKeyspace, SpoolFile } from '../ports.ts';
import { parseWholeFiring } from '../wire/firing.ts';
import { publishDocument } from './publish.ts';

/** The spool calls back when something is new; without that nothing is looked at. */
const forever = 2 ** 31 - 1;

export interface SpoolDrainOptions extends Keyspace {
  readonly spool: Spool;
  /** Whether we publish to the etcd and prefix that a firing's manifest has named. */
  readonly isOurs: (keyspace: SpooledKeyspace) => boolean;
  readonly clock: { now(): number };
  readonly log: Log;
  /** Told when a firing was left here that etcd does not have yet. */
  readonly onStored?: (firing: Firing) => void;
  readonly onPublished?: (firing: Firing) => void;
}

export interface SpoolState {
  /** Firings that etcd does not have yet. */
  readonly waiting: number;
  /** ms since the epoch. */
  readonly oldestAt: number | null;
}

/**
 * Publishes what is in the spool of this node.
 *
 * It is *idle* until the spool says that there may be something new. Then it makes a *pass*: lists the spool, publishes
 * one firing after the other, the oldest first, and removes what etcd has. What no reader would take is set aside; what
 * etcd refuses stays, and the others continue. When etcd is *away*, or has refused something, the next pass begins after a
 * pause that grows. A Puppet run may drain the same spool at the same time: the same id with the same bytes is one firing.
 */
export class SpoolDrain {
  readonly #options: SpoolDrainOptions;
  readonly #away: Outage;
  readonly #look = new Alarm();
  readonly #stop = new AbortController();
  /** Names of files and when they were stored, as last seen. */
  readonly #waiting = new Map<string, number>();
  /** Told to be stored, and not published yet. */
  readonly #told = new Set<FiringId>();
  /** Said once to be none of our business. */
  readonly #leftAlone = new Set<string>();
  #unsubscribe: () => void = () => undefined;
  #running: Promise<void> | undefined;

  constructor(options: SpoolDrainOptions) {
    this.#options = options;
    this.#away = new Outage(options.log, {
      begins: 'Cannot publish firings in the spool; retrying, and they are kept',
      ends: 'Firings in the spool are published again',
    });
  }

  start(): void {
    this.#unsubscribe = this.#options.spool.onChange(() => this.#look.ring());
    this.#running ??= this.#run();
  }

  get state(): SpoolState {
    const times = [...this.#waiting.values()];
    return { waiting: times.length, oldestAt: times.length === 0 ? null : times.reduce((a, b) => Math.min(a, b)) };
  }

  /** On disk when it resolves, and published from there. Throws `input-invalid`, `spool-unusable`. */
  async store(document: string): Promise<FiringId> {
    const { id } = await this.#keep(document);
    this.#look.ring();
    return id;
  }

  /**
   * In etcd when it resolves. Throws as `store`, and when only etcd does not take it, the store's errors with
   * `stage: 'stored'` among the details: then it is published later.
   */
  async publish(document: string): Promise<FiringId> {
    const firing = await this.#keep(document);
    const { id } = firing;
    try {
      await publishDocument(this.#options, document);
    } catch (thrown) {
      const { code, message } = asTriggerdError(thrown);
      this.#look.ring();
      const details = code === 'input-invalid' ? {} : { firing: id, stage: 'stored' };
      throw new TriggerdError(code, message, { cause: thrown, details });
    }
    await this.#remove(firing);
    return id;
  }

  /** Ends after the firing that is on its way; the others stay in the spool. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#unsubscribe();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const trouble = await this.#pass().catch(asTriggerdError);
      if (trouble === undefined) {
        this.#away.over();
        await this.#look.wait(forever, signal);
      } else {
        await pause(this.#away.failed(asTriggerdError(trouble)), signal);
      }
    }
  }

  /** What has gone wrong, if anything has. */
  async #pass(): Promise<TriggerdError | undefined> {
    const files = await this.#options.spool.list();
    this.#waiting.clear();
    for (const { name, storedAt } of files) this.#waiting.set(name, storedAt);
    for (const id of this.#told) if (!this.#waiting.has(`${id}.json`)) this.#told.delete(id);
    let trouble: TriggerdError | undefined;
    for (const file of files) {
      if (this.#stop.signal.aborted) return undefined;
      const error = await this.#deliver(file);
      trouble ??= error;
      if (error !== undefined && isAboutAll(error)) return error;
    }
    return trouble;
  }

  async #deliver(file: SpoolFile): Promise<TriggerdError | undefined> {
    if (this.#leftAlone.has(file.name)) return undefined;
    try {
      const document = await this.#options.spool.read(file.name);
      if (document === undefined) this.#waiting.delete(file.name);
      else await this.#publishFile(file, document);
      return undefined;
    } catch (thrown) {
      const error = asTriggerdError(thrown);
      return error.code === 'input-invalid' ? await this.#reject(file, error.message) : error;
    }
  }

  async #publishFile({ name, storedAt }: SpoolFile, { text, keyspace }: SpooledDocument): Promise<void> {
    const { isOurs, log, clock } = this.#options;
    const firing = firingIn(text);
    const { id } = firing;
    if (name !== `${id}.json`)
      throw new TriggerdError('input-invalid', 'the name of the file is not the ID of its firing');
    if (keyspace !== null && !isOurs(keyspace)) return this.#leaveAlone(name, keyspace);
    const { neverSeen } = await publishDocument(this.#options, text).catch((thrown: unknown) => {
      this.#tellStored(firing);
      throw thrown;
    });
    await this.#remove(firing);
    log.info({ firing: id, waitedMs: Math.round(clock.now() - storedAt), neverSeen }, 'Published a spooled firing');
  }

  #leaveAlone(name: string, { endpoints, prefix }: SpooledKeyspace): void {
    this.#leftAlone.add(name);
    const facts = { file: name, endpoints, prefix };
    this.#options.log.warn(facts, 'This firing belongs to another etcd; the next Puppet run publishes it');
  }

  async #reject({ name }: SpoolFile, reason: string): Promise<TriggerdError | undefined> {
    try {
      await this.#options.spool.reject(name, reason);
      this.#waiting.delete(name);
      this.#options.log.warn({ file: name, reason }, 'A file in the spool is not a firing; moved it aside');
      return undefined;
    } catch (thrown) {
      return asTriggerdError(thrown);
    }
  }

  async #keep(document: string): Promise<Firing> {
    const firing = firingIn(document);
    const { id } = firing;
    await this.#options.spool.add(id, document);
    this.#waiting.set(`${id}.json`, this.#options.clock.now());
    this.#tellStored(firing);
    return firing;
  }

  /** A Puppet run's own file is told when it has to wait. */
  #tellStored(firing: Firing): void {
    if (this.#told.has(firing.id)) return;
    this.#told.add(firing.id);
    this.#options.onStored?.(firing);
  }

  async #remove(firing: Firing): Promise<void> {
    await this.#options.spool.remove(firing.id);
    this.#waiting.delete(`${firing.id}.json`);
    this.#told.delete(firing.id);
    this.#options.onPublished?.(firing);
  }
}

/** A refusal, or a file that can't be read or set aside, may be about one firing alone and must not hold up the others. */
const isAboutAll = ({ code }: TriggerdError): boolean => isEtcdAway(code) || code === 'etcd-no-space';

/** Throws `input-invalid` for what no reader would take. */
const firingIn = (document: string): Firing => {
  try {
    return parseWholeFiring('the firing', document);
  } catch (cause) {
    throw new TriggerdError('input-invalid', `the firing cannot be published: ${asTriggerdError(cause).message}`, {
      cause,
    });
  }
};
