/**
 * The daemon and the process of its mount, over one stream: the mount asks (`n` counts its questions) and is answered;
 * the daemon tells it what the tree is, and what happened to triggers. When the stream ends the other side is gone: the
 * mount then unmounts, the daemon starts another one.
 */
import type { Duplex } from 'node:stream';
import { TriggerdError } from '../domain/errors.ts';
import type { Log } from '../kit/log.ts';
import type { Seen } from './attributes.ts';
import { type ErrnoName, errnoOf, FsError } from './errno.ts';
import type { Content, Gateway, TreeChange, Wait } from './ports.ts';
import type { TreeSnapshot } from './tree.ts';
import { UnconfirmedWrites } from './unconfirmed-writes.ts';

type Question =
  /** Body: the messages, one after the other. */
  | {
      readonly ask: 'spool';
      readonly definition: number;
      readonly lengths: readonly number[];
      readonly durable: boolean;
    }
  /** Body: the message. */
  | { readonly ask: 'send'; readonly definition: number }
  | { readonly ask: 'execute'; readonly change: TreeChange }
  | { readonly ask: 'refresh' }
  | { readonly ask: 'content'; readonly definition: number; readonly what: Content };

type FromMount =
  | ({ readonly n: number } & Question)
  | { readonly tell: 'mounted' }
  | { readonly tell: 'failed'; readonly message: string };

type FromDaemon =
  | { readonly n: number; readonly errno: ErrnoName | null; readonly message: string }
  /** Body: the snapshot in JSON. */
  | { readonly tell: 'tree' }
  | { readonly tell: 'seen'; readonly seen: readonly (readonly [number, Seen])[] };

const nothing = Buffer.alloc(0);
/** Bytes that are not durable and that are not in the journal yet; with more, writers wait. */
const maxUnderWay = 32 * 1_048_576;

/** The daemon as its mount sees it. */
export class DaemonLink implements Gateway {
  readonly #stream: Duplex;
  readonly #waiting = new Map<number, { resolve(body: Buffer): void; reject(error: FsError): void }>();
  readonly #unconfirmed = new UnconfirmedWrites(
    (definition, messages) => this.#spool(definition, messages, false),
    maxUnderWay,
  );
  #last = 0;

  constructor(
    stream: Duplex,
    { onTree, onSeen }: { onTree(tree: TreeSnapshot): void; onSeen(seen: ReadonlyMap<number, Seen>): void },
  ) {
    this.#stream = stream;
    readFrames<FromDaemon>(stream, ({ head, body }) => {
      if ('n' in head) this.#answered(head, body);
      else if (head.tell === 'tree') onTree(JSON.parse(body.toString('utf8')) as TreeSnapshot);
      else onSeen(new Map(head.seen));
    });
  }

  tell(what: Extract<FromMount, { tell: unknown }>): void {
    sendFrame(this.#stream, what);
  }

  spool(definition: number, messages: readonly Buffer[], durable: boolean): Wait {
    if (!durable) return this.#unconfirmed.add(definition, messages);
    this.#unconfirmed.flush();
    return this.#spool(definition, messages, true);
  }

  /** Resolves when the daemon has answered to everything that nobody waits for. */
  settled(): Promise<void> {
    return this.#unconfirmed.settled();
  }

  send(definition: number, message: Buffer): Promise<Buffer> {
    return this.#ask({ ask: 'send', definition }, [message]);
  }

  async execute(change: TreeChange): Promise<void> {
    await this.#ask({ ask: 'execute', change });
  }

  async refresh(): Promise<void> {
    await this.#ask({ ask: 'refresh' });
  }

  content(definition: number, what: Content): Promise<Buffer> {
    return this.#ask({ ask: 'content', definition, what });
  }

  async #spool(definition: number, messages: readonly Buffer[], durable: boolean): Promise<void> {
    const lengths = messages.map(({ length }) => length);
    await this.#ask({ ask: 'spool', definition, lengths, durable }, messages);
  }

  #ask(question: Question, body: readonly Buffer[] = []): Promise<Buffer> {
    const n = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(n, { resolve, reject });
      sendFrame(this.#stream, { n, ...question }, body);
    });
  }

  #answered({ n, errno, message }: Extract<FromDaemon, { n: unknown }>, body: Buffer): void {
    const waiting = this.#waiting.get(n);
    this.#waiting.delete(n);
    if (errno === null) waiting?.resolve(body);
    else waiting?.reject(new FsError(errno, message));
  }
}

/** A mount as its daemon sees it. */
export class MountLink {
  readonly #stream: Duplex;
  readonly #gateway: Gateway;
  readonly #log: Log;
  /** Resolves when the mount is there. Throws `mount-failed`. */
  readonly mounted: Promise<void>;

  constructor(stream: Duplex, gateway: Gateway, log: Log) {
    this.#stream = stream;
    this.#gateway = gateway;
    this.#log = log;
    this.mounted = new Promise((resolve, reject) => {
      readFrames<FromMount>(stream, ({ head, body }) => {
        if ('n' in head) void this.#answer(head.n, head, body);
        else if (head.tell === 'mounted') resolve();
        else reject(new TriggerdError('mount-failed', head.message));
      });
    });
  }

  show(tree: TreeSnapshot): void {
    this.#tell({ tell: 'tree' }, Buffer.from(JSON.stringify(tree)));
  }

  saw(seen: ReadonlyMap<number, Seen>): void {
    this.#tell({ tell: 'seen', seen: [...seen] });
  }

  async #answer(n: number, question: Question, body: Buffer): Promise<void> {
    try {
      const answer = await this.#perform(question, body);
      this.#tell({ n, errno: null, message: '' }, answer);
    } catch (error) {
      const errno = errnoOf(error);
      this.#log.warn({ ask: question.ask, errno, error }, 'A trigger file refused an operation');
      this.#tell({ n, errno, message: error instanceof Error ? error.message : String(error) });
    }
  }

  async #perform(question: Question, body: Buffer): Promise<Buffer> {
    switch (question.ask) {
      case 'spool':
        await this.#gateway.spool(question.definition, cut(body, question.lengths), question.durable);
        return nothing;
      case 'send':
        return this.#gateway.send(question.definition, body);
      case 'execute':
        await this.#gateway.execute(question.change);
        return nothing;
      case 'refresh':
        await this.#gateway.refresh?.();
        return nothing;
      case 'content':
        return this.#gateway.content(question.definition, question.what);
    }
  }

  #tell(head: FromDaemon, body?: Buffer): void {
    if (this.#stream.writable) sendFrame(this.#stream, head, body === undefined ? [] : [body]);
  }
}

const cut = (body: Buffer, lengths: readonly number[]): Buffer[] => {
  let at = 0;
  return lengths.map((length) => {
    at += length;
    return body.subarray(at - length, at);
  });
};

/** A header and bytes, as they travel between the daemon and the process of its mount. Both are ours: no version, no schema. */
interface Frame<Head> {
  readonly head: Head;
  readonly body: Buffer;
}

const prefixBytes = 8;
/** A frame up to here is copied into one piece: that costs less than a write of several. */
const smallBytes = 16_384;

/** `body` in parts. Frames of one turn of the event loop share a write: each wakes the other side up. */
const sendFrame = (stream: Duplex, head: object, body: readonly Buffer[] = []): void => {
  const text = Buffer.from(JSON.stringify(head));
  const prefix = Buffer.alloc(prefixBytes);
  prefix.writeUInt32LE(text.length, 0);
  const bodyBytes = body.reduce((sum, { length }) => sum + length, 0);
  prefix.writeUInt32LE(bodyBytes, 4);
  const parts = [prefix, text, ...body];
  stream.cork();
  for (const part of bodyBytes <= smallBytes ? [Buffer.concat(parts)] : parts) stream.write(part);
  process.nextTick(() => stream.uncork());
};

/** Every frame that comes, until the other side is gone. A stream that breaks has ended. */
const readFrames = <Head>(stream: Duplex, onFrame: (frame: Frame<Head>) => void): void => {
  let chunks: Buffer[] = [];
  let have = 0;
  let need = prefixBytes;
  const takeAll = (): void => {
    let data = onlyOf(chunks) ?? Buffer.concat(chunks);
    for (;;) {
      need = lengthOf(data);
      if (data.length < need) break;
      onFrame(frameOf<Head>(data.subarray(0, need)));
      data = data.subarray(need);
    }
    chunks = data.length === 0 ? [] : [data];
    have = data.length;
  };
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    have += chunk.length;
    if (have >= need) takeAll();
  });
};

const lengthOf = (data: Buffer): number =>
  data.length < prefixBytes ? prefixBytes : prefixBytes + data.readUInt32LE(0) + data.readUInt32LE(4);

const frameOf = <Head>(data: Buffer): Frame<Head> => {
  const bodyAt = prefixBytes + data.readUInt32LE(0);
  return { head: JSON.parse(data.toString('utf8', prefixBytes, bodyAt)) as Head, body: data.subarray(bodyAt) };
};

const onlyOf = ([first, ...others]: readonly Buffer[]): Buffer | undefined => (others.length === 0 ? first : undefined);
