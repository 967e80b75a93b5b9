/** What workers say, one method per operation. Who gets in: `worker-admission.ts`; what each serves: `worker-services.ts`. */

import { type Capacity, historyTailBytes, type PartialHead, type WorkerMessage } from '../bus/messages.ts';
import { TriggerdError } from '../domain/errors.ts';
import type { RequestId } from '../domain/request.ts';
import type { LimitedLog } from '../kit/limited-log.ts';
import { lastBytesOf, tailOf } from '../kit/text-or-bytes.ts';
import type { Announcements } from './announcements.ts';
import type { Legs } from './legs.ts';
import type { BrokerOptions } from './options.ts';
import { fitsInFinal, forwardOutput } from './output.ts';
import { refuseWorker } from './replies.ts';
import type { Leg } from './request.ts';
import { type Handlers, handle, isSameWorker, type Sessions, type WorkerSession } from './sessions.ts';
import { WorkerAdmission } from './worker-admission.ts';
import { WorkerServices } from './worker-services.ts';

export interface WorkersOptions extends BrokerOptions {
  readonly sessions: Sessions;
  readonly announcements: Announcements;
  readonly legs: Legs;
  readonly isStopping: () => boolean;
  /** For log lines that any peer can cause. */
  readonly limitedLog: LimitedLog;
}

type Of<Op extends WorkerMessage['op']> = Extract<WorkerMessage, { op: Op }>;

export class Workers {
  readonly admission: WorkerAdmission;
  readonly services: WorkerServices;
  readonly #options: WorkersOptions;
  readonly #handlers: Handlers<WorkerMessage, WorkerSession> = {
    ready: (session, message, body) => this.#readyAgain(session, message, body),
    announce: (session, message) => this.services.announced(session, message),
    heartbeat: (session, message) => this.#credit(session, message),
    credit: (session, message) => this.#credit(session, message),
    partial: (session, message, body) => this.#partial(session, message, body),
    final: (session, message, body) => this.#final(session, message, body),
    returned: (session, message) => this.#returned(session, message),
    known: (session, message) => this.#known(session, message),
    leaving: (session) => this.#leaving(session),
    disconnect: (session) => this.end(session, 'it has said goodbye'),
  };

  constructor(options: WorkersOptions) {
    this.#options = options;
    this.admission = new WorkerAdmission({ ...options, end: (session, reason) => this.end(session, reason) });
    this.services = new WorkerServices({ ...options, expel: (session, error) => this.expel(session, error) });
  }

  received(session: WorkerSession, message: WorkerMessage, body: Buffer): void {
    handle(this.#handlers, session, message, body);
  }

  /**
   * The connection is gone. The process may come back with another one: until then its identity is taken. That nothing can
   * be sent any more shows before its last words are read: they still count.
   */
  disconnected(session: WorkerSession): void {
    session.state = session.state === 'present' || session.state === 'away' ? 'away' : 'left';
    session.free = 0;
    this.admission.holderGone(session);
  }

  /** The worker will not come back: ends its session. */
  end(session: WorkerSession, reason: string): void {
    if (session.state === 'ended') return;
    const { sessions, legs, presence, observer, wire } = this.#options;
    session.state = 'ended';
    sessions.remove(session);
    wire.forget(session.peer);
    legs.workerLost(session);
    const { team, identity, node } = session.claim;
    presence.offline(team, identity);
    observer.workerOffline({ team, identity, node, reason });
  }

  /** The worker breaks the protocol, or may not be connected: tells it, and ends its session. */
  expel(session: WorkerSession, error: TriggerdError): void {
    this.end(session, error.message);
    refuseWorker(this.#options, session.peer, error);
  }

  /** A second `ready` on one connection is valid only from the same process. */
  #readyAgain(session: WorkerSession, message: Of<'ready'>, body: Buffer): void {
    if (isSameWorker(session.claim, message) && session.claim.instance === message.instance) {
      this.disconnected(session);
      this.admission.ready(session.peer, message, body);
    } else this.expel(session, new TriggerdError('bus-protocol', 'a connection can carry only one worker'));
  }

  #credit(session: WorkerSession, capacity: Capacity): void {
    session.free = freeOf(session, capacity);
    this.#options.legs.serve(session);
  }

  #partial(session: WorkerSession, message: Of<'partial'>, body: Buffer): void {
    const leg = this.#sentTo(session, message.id);
    if (leg !== undefined) this.#forwardOutput(session, leg, message, body);
  }

  /** False: the worker broke the protocol, and was expelled. */
  #forwardOutput(session: WorkerSession, leg: Leg, head: PartialHead, body: Buffer): boolean {
    if (forwardOutput(this.#options, session, leg, head, body)) return true;
    this.expel(session, new TriggerdError('bus-protocol', `output of ${head.id} out of order or beyond the window`));
    return false;
  }

  #sentTo(session: WorkerSession, id: RequestId): Leg | undefined {
    const leg = session.legs.get(id);
    return leg?.state.kind === 'sent' ? leg : undefined;
  }

  #final(session: WorkerSession, { op: _, id, job, free, seen, stream, ...outcome }: Of<'final'>, body: Buffer): void {
    const leg = this.#sentTo(session, id);
    session.free = freeOf(session, { free, seen });
    if (leg !== undefined) {
      const output = stream !== undefined && fitsInFinal(leg, body) ? { stream, bytes: body } : null;
      const isLeft = stream !== undefined && output === null;
      if (isLeft && !this.#forwardOutput(session, leg, { id, stream, offset: 0 }, body)) return;
      const tail = tailOf(lastBytesOf(body, historyTailBytes));
      this.#options.legs.finished(leg, outcome, { node: session.claim.node, job, tail, output });
    }
    this.#options.legs.serve(session);
  }

  #returned(session: WorkerSession, { id }: Of<'returned'>): void {
    const leg = session.legs.get(id);
    // The next `credit` says when the worker has a slot again.
    session.free = 0;
    if (leg !== undefined) this.#options.legs.returned(leg);
  }

  #known(session: WorkerSession, { id, known }: Of<'known'>): void {
    const leg = session.legs.get(id);
    if (leg !== undefined) this.#options.legs.answered(session, leg, known);
  }

  #leaving(session: WorkerSession): void {
    if (session.state !== 'present') return;
    session.state = 'leaving';
    this.#options.legs.refuseUnservedOf(session);
  }
}

/** The report is older than the requests that were sent since: each of them takes a slot. */
const freeOf = ({ sent }: WorkerSession, { free, seen }: Capacity): number =>
  Math.max(0, free - Math.max(0, sent - seen));
