/**
 * Rows of the tables: their keys are the columns of the documentation's tables, in that order. Times are ISO 8601; lists
 * are lists. A console prints them its own way, `--json` prints them as they are.
 */

import type { Algorithm, Retry, Visibility } from '../domain/service.ts';
import { formatDuration } from '../kit/duration.ts';
import type {
  Definition,
  Directory,
  Framing,
  PartialMessage,
  Role,
  Service,
  Team,
  TreeNode,
  User,
  Worker,
} from './model.ts';
import { type Holdings, hasAdmin, invitedRole, roleIn, type Snapshot } from './snapshot.ts';

export interface TeamRow {
  readonly id: number;
  readonly name: string;
  readonly description: string;
  readonly members: readonly string[];
  readonly invited: readonly string[];
  readonly owner: string;
  readonly created: string;
  readonly updated: string;
  /** `no-admin`: none who is enabled; root gives it one. `invited`: the reader is not in it. */
  readonly state: 'active' | 'no-admin' | 'invited';
}
export interface UserRow {
  readonly id: number;
  readonly identity: string;
  readonly description: string;
  readonly role: Role;
  /** `elsewhere`: comes from this team and is not in it. */
  readonly state: 'active' | 'disabled' | 'invited' | 'elsewhere';
  readonly home: string | null;
  readonly created: string;
  readonly updated: string;
}
export interface WorkerRow {
  readonly id: number;
  readonly identity: string;
  readonly description: string;
  readonly state: 'ONLINE' | 'DISCONNECTED';
  /** Only in the answer that made it; else `(hidden)`. */
  readonly token: string;
  readonly owner: string;
  readonly created: string;
  /** Moves when the worker connects. */
  readonly updated: string;
}
export interface ServiceRow {
  readonly id: number;
  readonly name: string;
  readonly description: string;
  readonly timeout: string | null;
  readonly algorithm: Algorithm;
  /** Paths of the definitions that use it. */
  readonly triggers: readonly string[];
  readonly workers: readonly string[];
  readonly visibility: Visibility;
  readonly owner: string;
  readonly created: string;
  readonly updated: string;
  readonly retry: Retry;
}
export interface DefinitionRow {
  readonly id: number;
  readonly name: string;
  readonly description: string;
  readonly plugin: string | null;
  readonly hits: number;
  readonly owner: string;
  readonly visibility: Visibility;
  readonly created: string;
  readonly updated: string;
  readonly path: string;
  readonly service: string | null;
  readonly args: Readonly<Record<string, string>>;
  readonly timeout: string | null;
  readonly framing: Framing;
  readonly delivery: 'async' | 'sync';
  readonly durable: boolean;
  readonly max_message: number;
  readonly deadline: string | null;
  /** Null: by the framing. */
  readonly partial: PartialMessage | null;
  /** As `chmod` takes it: `0644`. */
  readonly mode: string;
}
export interface DirectoryRow {
  readonly id: number;
  readonly path: string;
  readonly description: string;
  readonly mode: string;
  readonly owner: string;
  readonly created: string;
  readonly updated: string;
}

const hiddenToken = '(hidden)';

export const teamRow = (team: Team, registry: Pick<Snapshot, 'users'>): TeamRow =>
  rowOf(team, hasAdmin(registry, team) ? 'active' : 'no-admin');

/** Of a team that only asks the reader to join. */
export const invitedTeamRow = (team: Team): TeamRow => rowOf(team, 'invited');

const rowOf = (team: Team, state: TeamRow['state']): TeamRow => ({
  id: team.id,
  name: team.name,
  description: team.description,
  members: Object.keys(team.members),
  invited: Object.keys(team.invited),
  owner: team.owner,
  created: team.created_at,
  updated: team.updated_at,
  state,
});

export const userRow = (team: Team, user: User): UserRow => ({
  id: user.id,
  identity: user.identity,
  description: user.description,
  role: roleIn(team, user.identity) ?? invitedRole(team, user.identity) ?? 'member',
  state: stateIn(team, user),
  home: user.home,
  created: user.created_at,
  updated: user.updated_at,
});

const stateIn = (team: Team, { identity, disabled }: User): UserRow['state'] => {
  if (invitedRole(team, identity) !== undefined) return 'invited';
  if (disabled) return 'disabled';
  return roleIn(team, identity) === undefined ? 'elsewhere' : 'active';
};

export const workerRow = (worker: Worker, onlineSince: string | undefined, token = hiddenToken): WorkerRow => ({
  id: worker.id,
  identity: worker.identity,
  description: worker.description,
  state: onlineSince === undefined ? 'DISCONNECTED' : 'ONLINE',
  token,
  owner: worker.owner,
  created: worker.created_at,
  updated: later(worker.updated_at, onlineSince ?? ''),
});

/** Of two times in ISO 8601. */
const later = (one: string, other: string): string => (other > one ? other : one);

/** `triggers`: the paths of those definitions that use it and that the reader may see. */
export const serviceRow = (service: Service, triggers: readonly string[]): ServiceRow => ({
  id: service.id,
  name: service.name,
  description: service.description,
  timeout: duration(service.timeout_ms),
  algorithm: service.algorithm,
  triggers,
  workers: service.workers,
  visibility: service.visibility,
  owner: service.owner,
  created: service.created_at,
  updated: service.updated_at,
  retry: service.retry,
});

export const definitionRow = (definition: Definition, holdings: Holdings): DefinitionRow => ({
  id: definition.id,
  name: definition.name,
  description: definition.description,
  plugin: definition.plugin,
  hits: holdings.hits(definition.id),
  owner: definition.owner,
  visibility: definition.visibility,
  created: definition.created_at,
  // A hit is news of the trigger, as in triggerFS.
  updated: later(definition.updated_at, holdings.lastHitAt(definition.id)),
  path: pathOf(holdings, definition),
  service: definition.service,
  args: definition.args,
  timeout: duration(definition.timeout_ms),
  framing: definition.framing,
  delivery: definition.delivery,
  durable: definition.durable,
  max_message: definition.max_message,
  deadline: duration(definition.deadline_ms),
  partial: definition.partial,
  mode: octal(definition.mode),
});

export const directoryRow = (directory: Directory, holdings: Holdings): DirectoryRow => ({
  id: directory.id,
  path: pathOf(holdings, directory),
  description: directory.description,
  mode: octal(directory.mode),
  owner: directory.owner,
  created: directory.created_at,
  updated: directory.updated_at,
});

/** `/dir/name`; begins with `…` where a directory above it is missing, which only happens when somebody edits etcd. */
export const pathOf = (holdings: Holdings, node: Pick<TreeNode, 'parent' | 'name'>): string => {
  const names = [node.name];
  let above = node.parent;
  while (above !== 0) {
    const directory = holdings.nodes.get(above);
    if (directory === undefined || names.length > holdings.nodes.size) return `…/${names.join('/')}`;
    names.unshift(directory.name);
    above = directory.parent;
  }
  return `/${names.join('/')}`;
};

const duration = (ms: number | null): string | null => (ms === null ? null : formatDuration(ms));
const octal = (mode: number): string => `0${mode.toString(8).padStart(3, '0')}`;
