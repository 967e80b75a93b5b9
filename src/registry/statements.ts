/**
 * Everything that can be asked of the registry, one shape each. The console's grammar, `trigger team|user|…`, the bus
 * and the control API all make these and nothing else; `execute` (one file per verb) carries them out. A statement that
 * comes from outside is checked against the schema before anything looks at it.
 *
 * Each acts in `team` where it has one; who may do what is in `rules.ts`.
 */
import type { RequestStatement } from '../domain/live-request.ts';
import type { Algorithm, Retry, Visibility } from '../domain/service.ts';
import type { Framing, PartialMessage, Role } from './model.ts';

export type Statement =
  | { readonly verb: 'team.add'; readonly name: string; readonly description?: string }
  | { readonly verb: 'team.set'; readonly name: string; readonly description?: string; readonly owner?: string }
  | { readonly verb: 'team.list' }
  /** `force`, for root: with all that it holds. */
  | { readonly verb: 'team.delete'; readonly name: string; readonly force?: boolean }
  /** The user has to accept, unless an admin of the installation asks. */
  | { readonly verb: 'team.invite'; readonly team: string; readonly identity: string; readonly role: Role }
  | { readonly verb: 'team.accept'; readonly team: string }
  | { readonly verb: 'team.decline'; readonly team: string }
  | { readonly verb: 'team.remove'; readonly team: string; readonly identity: string }
  | {
      readonly verb: 'user.add';
      readonly team: string;
      readonly identity: string;
      readonly secret: string;
      readonly role?: Role;
      readonly description?: string;
    }
  | {
      readonly verb: 'user.set';
      readonly team: string;
      readonly identity: string;
      readonly secret?: string;
      readonly role?: Role;
      readonly disabled?: boolean;
      readonly description?: string;
    }
  /** Ends every token of this user. */
  | { readonly verb: 'user.revoke'; readonly team: string; readonly identity: string }
  | { readonly verb: 'user.list'; readonly team: string }
  | { readonly verb: 'user.delete'; readonly team: string; readonly identity: string }
  /** Answers with the token, this once. */
  | { readonly verb: 'worker.add'; readonly team: string; readonly identity: string; readonly description?: string }
  | { readonly verb: 'worker.set'; readonly team: string; readonly identity: string; readonly description?: string }
  /** A new token, shown this once; connections by the old one end. */
  | { readonly verb: 'worker.rotate'; readonly team: string; readonly identity: string }
  | { readonly verb: 'worker.list'; readonly team: string }
  | { readonly verb: 'worker.delete'; readonly team: string; readonly identity: string }
  | ({ readonly verb: 'service.add'; readonly team: string; readonly name: string } & ServiceSettings)
  | ({ readonly verb: 'service.set'; readonly team: string; readonly name: string } & ServiceSettings)
  | { readonly verb: 'service.attach'; readonly team: string; readonly name: string; readonly worker: string }
  | { readonly verb: 'service.detach'; readonly team: string; readonly name: string; readonly worker: string }
  | { readonly verb: 'service.list'; readonly team: string }
  | { readonly verb: 'service.delete'; readonly team: string; readonly name: string }
  /** `name` is a path, or the bare name where only one definition of the team has it; ambiguity is an error. */
  | ({ readonly verb: 'definition.add'; readonly team: string; readonly path: string } & DefinitionSettings)
  | ({
      readonly verb: 'definition.set';
      readonly team: string;
      readonly name: string;
      readonly path?: string;
    } & DefinitionSettings)
  | { readonly verb: 'definition.list'; readonly team: string }
  | { readonly verb: 'definition.delete'; readonly team: string; readonly name: string }
  /** How often a mount without etcd has hit each trigger file, ever, by its number; what the user can't see, and the 1,001st counter of a trigger, is left out. */
  | {
      readonly verb: 'definition.count';
      readonly team: string;
      /** Of the journal that counts. */
      readonly counter: string;
      readonly hits: Readonly<Record<string, number>>;
    }
  | { readonly verb: 'directory.add'; readonly team: string; readonly path: string; readonly mode?: number }
  | {
      readonly verb: 'directory.set';
      readonly team: string;
      readonly path: string;
      readonly to?: string;
      readonly mode?: number;
    }
  | { readonly verb: 'directory.list'; readonly team: string }
  | { readonly verb: 'directory.delete'; readonly team: string; readonly path: string }
  /** Requests that have ended, newest first. */
  | {
      readonly verb: 'history.list';
      readonly team: string;
      readonly limit?: number;
      readonly service?: string;
      readonly worker?: string;
      readonly request?: string;
    };

export interface ServiceSettings {
  readonly description?: string;
  readonly algorithm?: Algorithm;
  readonly retry?: Retry;
  /** ms; null: none. */
  readonly timeout_ms?: number | null;
  readonly visibility?: Visibility;
}

export interface DefinitionSettings {
  readonly description?: string;
  readonly plugin?: string | null;
  /** A service of the team, or `team/service`; never a worker's identity. */
  readonly service?: string | null;
  /** Joins what is there: other names stay, null takes one away. */
  readonly args?: Readonly<Record<string, string | null>>;
  readonly timeout_ms?: number | null;
  readonly visibility?: Visibility;
  readonly framing?: Framing;
  readonly delivery?: 'async' | 'sync';
  readonly durable?: boolean;
  readonly max_message?: number;
  /** ms; null: the node's. */
  readonly deadline_ms?: number | null;
  /** Null: by the framing. */
  readonly partial?: PartialMessage | null;
  readonly mode?: number;
}

/** What every statement answers: rows of a kind (a list has all of them, a change the one that it made), and notices for people. */
export interface Answer {
  readonly kind: (Statement | RequestStatement)['verb'] extends `${infer Kind}.${string}` ? Kind : never;
  /** As the tables show them: `rows.ts`; of `history`, `RequestRecord`s; of `request`, `LiveRequest`s, by a broker. */
  readonly rows: readonly object[];
  readonly notices: readonly string[];
  /** Of the tree's lists, where it was asked for: which of its states this is. */
  readonly revision?: string;
  /** It is still what was answered at that revision, and not repeated: `rows` is empty. */
  readonly unchanged?: true;
}
