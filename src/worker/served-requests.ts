import { noBody } from '../bus/codec/encode.ts';
import { boundedReason, outcomeWithoutRun } from '../bus/codec/fields.ts';
import type { Capacity, ToWorker, WireOutcome, WorkerMessage } from '../bus/messages.ts';
import type { Message } from '../bus/ports.ts';
import { asTriggerdError, TriggerdError } from '../domain/errors.ts';
import type { RequestId, RequestRun } from '../domain/request.ts';
import type { Disclaimed } from './disclaimed.ts';
import type { RequestNews, WorkerIdentity } from './ports.ts';
import type { FinishedRequest, WorkerRequest } from './request-jobs.ts';
import { outcomeOf, type Piece, RequestOutput } from './request-output.ts';

/** Messages of a broker about requests. */
export type RequestMessage = Extract<ToWorker, { readonly op: 'request' | 'cancel' | 'ack' | 'query' }>;
type RequestOp<Op extends RequestMessage['op']> = Extract<RequestMessage, { readonly op: Op }>;

export interface ServedRequestsOptions extends Pick<WorkerIdentity, 'jobs' | 'proofs' | 'whyNotAllowed' | 'log'> {
  /** `team/identity`. */
  readonly worker: string;
  /** Shared by all connections of this worker. */
  readonly disclaimed: Disclaimed;
  /** Key of the broker. */
  readonly broker: string;
  readonly maxMessage: number;
  send(head: WorkerMessage, body?: Buffer): void;
  tell(event: RequestNews): void;
  /** Called when nothing is on its way to this broker any more. */
  onIdle(): void;
}

interface Served {
  readonly run: RequestRun;
  readonly output: RequestOutput;
}

/**
 * The requests that one broker is told about. A request's job belongs to the worker and not to the connection: when the
 * broker goes away the job runs on, and another broker that asks for it hears everything from the first byte.
 */
export class ServedRequests {
  readonly #options: ServedRequestsOptions;
  readonly #served = new Map<RequestId, Served>();
  #takesNew = true;
  #seen = 0;

  constructor(options: ServedRequestsOptions) {
    this.#options = options;
  }

  get isIdle(): boolean {
    return this.#served.size === 0;
  }

  /** Slots that could start a request of this broker. */
  free(): number {
    return this.#takesNew ? Math.max(0, this.#options.jobs.free()) : 0;
  }

  /** Free slots and seen requests, for the broker. */
  capacity(): Capacity {
    return { free: this.free(), seen: this.#seen };
  }

  handle({ head, body }: Message<RequestMessage>): void {
    switch (head.op) {
      case 'request':
        this.#request(head, body);
        break;
      case 'cancel':
        this.#cancel(head);
        break;
      case 'ack':
        this.#served.get(head.id)?.output.acknowledged(head.bytes);
        break;
      case 'query':
        this.#query(head);
        break;
    }
  }

  /** Returns new requests from now on. */
  takeNoMore(): void {
    this.#takesNew = false;
  }

  /** Forgets all requests: the broker does not hear this worker any more. */
  close(): void {
    for (const id of this.#served.keys()) this.#drop(id);
  }

  #request(head: RequestOp<'request'>, payload: Buffer): void {
    this.#seen++;
    const { id, service, plugin } = head;
    const request = this.#workerRequest(head, payload);
    this.#options.tell({ kind: 'request', id, service, plugin, user: request.user });
    try {
      const isHeard = this.#follow(request, (output) => this.#begin(request, output));
      if (!isHeard) this.#options.send({ op: 'returned', id, free: this.free() });
    } catch (thrown) {
      this.#refuse(id, asTriggerdError(thrown));
    }
  }

  /** Known requests are answered in any case, and so never given to another worker. */
  #begin(request: WorkerRequest, output: RequestOutput): boolean {
    const { jobs, worker, whyNotAllowed, disclaimed, broker } = this.#options;
    const mayStart = this.#takesNew && !disclaimed.isFor(request, broker);
    if (!mayStart) return jobs.follow(request, output);
    const why = whyNotAllowed(request.plugin);
    if (why !== undefined) throw notAllowed(worker, request.plugin, why);
    return jobs.start(request, output) !== 'no-slot';
  }

  #cancel({ id, reason }: RequestOp<'cancel'>): void {
    const served = this.#served.get(id);
    if (served !== undefined) this.#options.jobs.cancel(served.run, reason);
  }

  #query(head: RequestOp<'query'>): void {
    const { jobs, send, disclaimed, broker, log } = this.#options;
    const run = this.#runOf(head);
    try {
      const known = this.#follow(run, (output) => jobs.follow(run, output));
      if (!known) disclaimed.add(run, broker);
      send({ op: 'known', id: run.id, known });
    } catch (error) {
      // Without an answer the broker must assume that the request may have run.
      log.error({ error, request: run.id }, 'Cannot find out whether a request has run here');
    }
  }

  /** Gives `begin` a new output for this ID, and keeps it if the job is known. Replaces an earlier output. */
  #follow(run: RequestRun, begin: (output: RequestOutput) => boolean): boolean {
    const { id } = run;
    const { send, maxMessage } = this.#options;
    this.#drop(id);
    const output = new RequestOutput({ id, maxMessage, send, ended: (...end) => this.#ended(id, ...end) });
    const isHeard = begin(output);
    if (isHeard) this.#served.set(id, { run, output });
    return isHeard;
  }

  #ended(id: RequestId, ended: FinishedRequest, whole: Piece | undefined): void {
    this.#served.delete(id);
    this.#final(id, ended.jobId, outcomeOf(ended), whole ?? { bytes: ended.outputTail });
    if (this.isIdle) this.#options.onIdle();
  }

  #final(
    id: RequestId,
    job: FinishedRequest['jobId'],
    outcome: WireOutcome,
    output: Piece | { readonly bytes: Buffer },
  ): void {
    const { bytes, ...stream } = output;
    this.#options.send({ op: 'final', id, job, ...this.capacity(), ...stream, ...outcome }, bytes);
    this.#options.tell({ kind: 'answered', id, job, outcome });
  }

  #refuse(id: RequestId, error: TriggerdError): void {
    const { code, message } = error;
    if (code === 'internal') this.#options.log.error({ error, request: id }, 'Cannot start a request');
    this.#final(id, null, outcomeWithoutRun('refused', boundedReason(message), code), { bytes: noBody });
  }

  #drop(id: RequestId): void {
    const served = this.#served.get(id);
    if (served === undefined) return;
    this.#served.delete(id);
    this.#options.jobs.unfollow(served.run, served.output);
    served.output.close();
  }

  #runOf({ id, user, team }: Pick<RequestOp<'query'>, 'id' | 'user' | 'team'>): RequestRun {
    return { id, worker: this.#options.worker, user: `${user}@${team}` };
  }

  #workerRequest(head: RequestOp<'request'>, payload: Buffer): WorkerRequest {
    const { id, worker, user } = this.#runOf(head);
    const { service, plugin, args, chain, ttl, timeout_ms: timeoutMs, behalf, proof } = head;
    const { proofs } = this.#options;
    return {
      ...{ id, worker, user, service, plugin, args, payload, timeoutMs, chain, ttl },
      ...(behalf === undefined ? {} : { behalf }),
      ...(proof === undefined || proofs === undefined ? {} : { proof: proofs.seal(proof) }),
    };
  }
}

const notAllowed = (worker: string, plugin: string, why: string): TriggerdError =>
  new TriggerdError('plugin-not-allowed', `worker ${worker} does not start plugin ${plugin}: ${why}`);
