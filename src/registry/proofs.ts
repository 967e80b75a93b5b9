import * as v from 'valibot';
import type { Asker, Caller, CheckedProof, ProvenRequest } from '../domain/caller.ts';
import { TriggerdError } from '../domain/errors.ts';
import { partsOfTarget } from '../domain/target.ts';
import type { Clock } from '../kit/clock.ts';
import { workerProofOf } from './accounts.ts';
import { audienceOf, type BusProofs, type MirroredRegistry } from './bus-registry.ts';
import type { Worker } from './model.ts';
import type { OpenedProof, ProofOpener, TokenIssuer } from './ports.ts';

export interface ProofsOptions {
  readonly mirrored: MirroredRegistry;
  readonly issuer: Pick<TokenIssuer, 'kid' | 'signProof'>;
  readonly opener: ProofOpener;
  /** Random text of this process. */
  readonly instance: string;
  readonly clock: Clock;
}

/** Grace after the request's deadline, for messages that are on their way. ms. */
const graceMs = 5_000;
/** Tolerated difference between the clocks of brokers. ms. */
const toleranceMs = 30_000;

/** Identity, team, and their numbers: short, for there may be eight of them. */
const asker = v.tuple([v.string(), v.string(), v.number(), v.number(), v.number()]);
const claims = v.object({
  aud: v.string(),
  /** The process that made it. */
  ins: v.string(),
  req: v.string(),
  /** `team/identity` of the worker, and which one of that name, with which token. */
  wrk: v.string(),
  wid: v.string(),
  ask: v.pipe(v.array(asker), v.minLength(1), v.maxLength(64)),
  dep: v.number(),
  exp: v.number(),
});

/** Proofs of who asked for a job. Made and checked from memory, at once. */
export class Proofs implements BusProofs {
  readonly #options: ProofsOptions;

  constructor(options: ProofsOptions) {
    this.#options = options;
  }

  askerOf({ identity, team }: Caller): Asker {
    const { state } = this.#options.mirrored;
    const user = state.users.get(identity);
    const members = state.teams.get(team);
    if (user === undefined || members === undefined) throw new TriggerdError('token-invalid', 'the token is not valid');
    return { identity, team, userId: user.id, teamId: members.id, generation: user.generation };
  }

  prove({ id, worker, askers, depth, endsAt }: ProvenRequest): string | undefined {
    const { mirrored, issuer, instance } = this.#options;
    const audience = audienceOf(mirrored.state);
    const known = this.#worker(worker);
    if (audience === undefined || known === undefined || !mirrored.state.issuers.has(issuer.kid)) return undefined;
    const said: v.InferInput<typeof claims> = {
      aud: audience,
      ins: instance,
      req: id,
      wrk: worker,
      wid: workerProofOf(known),
      ask: askers.map(({ identity, team, userId, teamId, generation }) => [identity, team, userId, teamId, generation]),
      dep: depth,
      exp: endsAt,
    };
    return issuer.signProof(said);
  }

  check(sealed: string): CheckedProof {
    const { mirrored, opener } = this.#options;
    const opened = opener.open(sealed, mirrored.state.issuers);
    const said = opened && v.safeParse(claims, opened.claims);
    if (opened === undefined || said?.success !== true) throw invalid();
    return this.#checked(opened, said.output);
  }

  #checked(opened: OpenedProof, said: v.InferOutput<typeof claims>): CheckedProof {
    const { mirrored, clock, instance } = this.#options;
    const isOurs = said.ins === instance;
    const worker = this.#worker(said.wrk);
    const isInForce =
      said.aud === audienceOf(mirrored.state) &&
      said.exp + graceMs + (isOurs ? 0 : toleranceMs) > clock.now() &&
      worker !== undefined &&
      workerProofOf(worker) === said.wid &&
      opened.isSealedWith(worker.token_hash);
    if (!isInForce) throw invalid();
    const askers = said.ask.map(askerIn);
    const callers = askers.map((each) => this.#callerOf(each));
    return { id: said.req, worker: said.wrk, askers, callers, depth: said.dep, endsAt: said.exp, isOurs };
  }

  #callerOf(asker: Asker): Caller {
    const caller = this.#options.mirrored.memberOf(asker);
    if (caller === undefined) throw invalid();
    return caller;
  }

  #worker(name: string): Worker | undefined {
    const [team, identity] = partsOfTarget(name);
    return this.#options.mirrored.state.holdings(team).workers.get(identity);
  }
}

const askerIn = ([identity, team, userId, teamId, generation]: v.InferOutput<typeof asker>): Asker => ({
  identity,
  team,
  userId,
  teamId,
  generation,
});

/** One message for every reason. */
const invalid = (): TriggerdError => new TriggerdError('proof-invalid', 'the proof of the job’s user is not valid');
