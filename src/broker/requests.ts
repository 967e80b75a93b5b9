/**
 * Requests that are not over, by id. An id belongs to the user who used it first; the same user with the same id again is
 * a client that lost its connection: it is told everything anew.
 */

import { encodeToClient } from '../bus/codec/encode.ts';
import type { FromJob, RequestHead, WireOutcome } from '../bus/messages.ts';
import type { PeerId } from '../bus/ports.ts';
import type { Behalf, Caller } from '../domain/caller.ts';
import { TriggerdError } from '../domain/errors.ts';
import { parsePluginName } from '../domain/names.ts';
import type { RequestId } from '../domain/request.ts';
import type { ServiceView } from '../domain/service.ts';
import { targetOf } from '../domain/target.ts';
import { beginRequest, continueRequest } from './algorithms.ts';
import { type Announcements, unlessAccepted } from './announcements.ts';
import { type BehalfOptions, behalfOf, serviceForAll } from './behalf.ts';
import type { Legs } from './legs.ts';
import { type BrokerOptions, maxHops } from './options.ts';
import type { Queues } from './queues.ts';
import { hasLegPerWorker, holderOf, type Leg, nameOf, outcomeOf, type Request, recordOf, workerOf } from './request.ts';
import { busy, heldBytesOf, RequestQuota } from './request-quota.ts';
import type { WorkerSelection } from './worker-selection.ts';

export interface RequestsOptions
  extends Pick<BrokerOptions, 'clock' | 'limits' | 'wire' | 'registry' | 'proofs' | 'history' | 'observer'> {
  readonly queues: Queues;
  readonly workerSelection: WorkerSelection;
  readonly legs: Legs;
  readonly announcements: Announcements;
  /** Called when the client need not wait for the request any more. */
  readonly onFinished: (client: PeerId, id: RequestId) => void;
}

export class Requests {
  readonly #options: RequestsOptions;
  readonly #live = new Map<RequestId, Request>();
  readonly #behalfs: BehalfOptions;
  readonly #held = new RequestQuota();

  constructor(options: RequestsOptions) {
    this.#options = options;
    this.#behalfs = { ...options, find: (id) => this.#live.get(id) };
  }

  get size(): number {
    return this.#live.size;
  }

  /** Requests that a worker has. */
  get running(): number {
    let count = 0;
    for (const { legs } of this.#live.values()) if (legs.some(({ state }) => state.kind === 'sent')) count++;
    return count;
  }

  /** Opens a request. Throws why it is refused; then nothing has changed. */
  open(caller: Caller, client: PeerId, head: RequestHead & FromJob, payload: Buffer): void {
    const known = this.#live.get(head.id);
    if (known !== undefined) {
      this.#attach(known, caller, client);
      return;
    }
    const request = this.#create(caller, client, head, payload);
    this.#live.set(request.id, request);
    this.#held.add(request);
    const { announcements, legs, observer } = this.#options;
    const { id, service } = request;
    announcements.soon(request);
    observer.requestReceived({ id, user: nameOf(holderOf(request)), service: targetOf(service.team, service.name) });
    beginRequest(legs, request);
    // A resumed request may be for a service that has lost its workers since.
    if (request.legs.length === 0) this.#finish(request);
  }

  /** All open requests, in the order in which they came. */
  all(): IterableIterator<Request> {
    return this.#live.values();
  }

  find(id: RequestId): Request | undefined {
    return this.#live.get(id);
  }

  /** Cancels all legs of the user's own request. Throws `request-not-found`. */
  cancel({ identity, team }: Caller, id: RequestId): void {
    const request = this.#live.get(id);
    if (request === undefined || request.user !== identity || request.team !== team)
      throw new TriggerdError('request-not-found', `you have no open request ${id} at this broker`);
    this.end(request, nameOf(request.caller));
  }

  /** Cancels any user's request; `by` names who did it. */
  end(request: Request, by: string): void {
    if (request.cancelled !== null) return;
    request.cancelled = `cancelled by ${by}`;
    for (const leg of [...request.legs]) this.#options.legs.cancel(leg, request.cancelled);
  }

  /** No client listens any more: the broker itself acknowledges output from here. */
  abandon(client: PeerId, id: RequestId): readonly Leg[] {
    const request = this.#live.get(id);
    if (request === undefined || request.client !== client) return [];
    request.client = null;
    return request.legs;
  }

  /**
   * From here on clients ask another broker, which asks the workers: so what waits here must not start any more. It is
   * forgotten; what a worker has runs on, and of what is only partly there no end is told.
   */
  stop(): void {
    const { legs } = this.#options;
    legs.stop();
    for (const request of [...this.#live.values()]) {
      const isWhole = request.legs.every(({ state }) => state.kind === 'sent' || state.kind === 'over');
      if (isWhole && request.remaining.length === 0) continue;
      request.client = null;
      request.remaining.length = 0;
      for (const leg of request.legs) legs.forget(leg);
      if (request.legs.every(({ state }) => state.kind === 'over')) this.#forget(request);
    }
  }

  legOver(leg: Leg): void {
    const { clock, legs, announcements } = this.#options;
    const { request } = leg;
    // For other algorithms `final` tells the end of the last leg.
    if (hasLegPerWorker(request)) announcements.legOver(leg);
    if (this.#live.get(request.id) !== request) return;
    if (continueRequest(legs, request, request.deadlineAt <= clock.now())) this.#finish(request);
  }

  /** Ends legs after their deadline: at once where no worker has them, otherwise when the worker has had time to report. */
  tick(now: number): void {
    for (const { deadlineAt, legs } of this.#live.values()) {
      if (deadlineAt > now) continue;
      for (const leg of [...legs]) this.#options.legs.deadline(leg, now);
    }
  }

  #attach(request: Request, { identity, team }: Caller, client: PeerId): void {
    if (request.user !== identity || request.team !== team)
      throw new TriggerdError('request-invalid', `the ID ${request.id} is in use`);
    const { legs, announcements } = this.#options;
    request.client = client;
    announcements.accept(request);
    for (const leg of request.legs) {
      if (leg.state.kind === 'over') announcements.tellLegEnd(leg);
      else legs.replay(leg);
    }
  }

  #create(caller: Caller, client: PeerId, head: RequestHead & FromJob, payload: Buffer): Request {
    const { clock, limits, proofs } = this.#options;
    this.#check(head, payload);
    const behalf = behalfOf(this.#behalfs, head);
    const service = serviceForAll(this.#behalfs, caller, head, behalf);
    const bytes = heldBytesOf(head, payload);
    this.#checkQuota(holderOf({ behalf, caller }), service, bytes);
    if (!head.resume) this.#checkWorkers(service);
    // A view of a frame would keep the whole frame in memory for as long as the request lives.
    const kept = payload.length * 2 < payload.buffer.byteLength ? Buffer.from(payload) : payload;
    // A longer timeout is shortened, not refused: to older clients a year means “no limit”.
    const timeoutMs = Math.min(limits.maxTimeoutMs, head.timeout_ms ?? service.timeoutMs ?? limits.timeoutMs);
    return {
      id: head.id,
      user: caller.identity,
      team: caller.team,
      caller,
      asker: proofs?.askerOf(caller) ?? null,
      behalf,
      service,
      head,
      payload: kept,
      bytes,
      retry: service.retry,
      deadlineAt: clock.now() + Math.min(timeoutMs, leftOf(behalf, clock.date())),
      receivedAt: clock.date(),
      legs: [],
      remaining: [],
      client,
      isAccepted: false,
      cancelled: null,
    };
  }

  #check({ plugin, chain, ttl }: RequestHead, payload: Buffer): void {
    const { maxMessage } = this.#options.limits;
    parsePluginName(plugin);
    if (payload.length > maxMessage)
      throw new TriggerdError(
        'request-too-large',
        `the payload has ${payload.length} bytes; ${maxMessage} are allowed`,
      );
    if (ttl < 0 || chain.length > maxHops)
      throw new TriggerdError('request-invalid', `hop limit reached: ${chain.join(' → ')}`);
  }

  #checkQuota(caller: Caller, service: ServiceView, bytes: number): void {
    const { team, name, workers } = service;
    const { queues, limits } = this.#options;
    this.#held.assertSpace(caller, bytes, limits.maxRequests);
    const targets = hasLegPerWorker({ service }) ? workers : [name];
    for (const target of targets) {
      const waiting = queues.length(targetOf(team, target));
      if (waiting >= limits.maxQueued) throw busy(`${waiting} requests wait for ${target}`);
    }
  }

  #checkWorkers(service: ServiceView): void {
    const { workerSelection } = this.#options;
    const { team, name, workers } = service;
    const isThere = hasLegPerWorker({ service })
      ? workers.some((worker) => workerSelection.hasCandidate(team, targetOf(team, worker), [worker]))
      : workerSelection.hasCandidate(team, targetOf(team, name), workers);
    if (!isThere) throw new TriggerdError('no-worker', `no worker of ${name} is connected`);
  }

  #finish(request: Request): void {
    const { history, clock, observer, onFinished } = this.#options;
    const { id, client } = request;
    const outcome = outcomeOf(request);
    this.#forget(request);
    if (client !== null) {
      this.#tellFinal(request, client, outcome);
      onFinished(client, id);
    }
    const record = recordOf(request, outcome, clock.date());
    history.record(record);
    observer.requestFinished(record);
  }

  #tellFinal(request: Request, client: PeerId, outcome: WireOutcome): void {
    const { wire, announcements } = this.#options;
    const { id, isAccepted } = request;
    // A client that has heard of the request gets all messages in order; otherwise `final` says everything.
    if (isAccepted) announcements.now(request);
    else announcements.forget(request);
    const leg = hasLegPerWorker(request) ? undefined : request.legs.at(-1);
    const worker = leg && workerOf(leg);
    const output = leg?.state.kind === 'over' ? leg.state.report.output : null;
    const head = encodeToClient({
      op: 'final',
      id,
      ...unlessAccepted(request),
      ...(worker && { worker }),
      ...(output && { stream: output.stream }),
      ...outcome,
    });
    wire.send(client, head, output?.bytes);
  }

  #forget(request: Request): void {
    this.#live.delete(request.id);
    this.#held.remove(request);
  }
}

/** Time left of the job that the request comes from. ms. */
const leftOf = (behalf: Behalf | null, date: number): number =>
  behalf === null ? Number.POSITIVE_INFINITY : Math.max(1, behalf.endsAt - date);
