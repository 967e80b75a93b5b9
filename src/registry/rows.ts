/**
 * Rows of the tables: their keys are the columns of the documentation's tables, in that order. Times are ISO 8601; lists
 * are lists. A console prints them its own way, `--json` prints them as they are.
 */

import { formatDuration } from '../kit/duration.ts';
import type { Definition, Directory, Service, Team, TreeNode, User, Worker } from './model.ts';
import { type Holdings, hasAdmin, invitedRole, roleIn, type Snapshot } from './snapshot.ts';

const hiddenToken = '(hidden)';

/** `registry`: null for a team that only asks the reader to join. */
export const teamRow = (team: Team, registry: Pick<Snapshot, 'users'> | null) => ({
  id: team.id,
  name: team.name,
  description: team.description,
  members: Object.keys(team.members),
  invited: Object.keys(team.invited),
  owner: team.owner,
  created: team.created_at,
  updated: team.updated_at,
  /** `no-admin`: none who is enabled; root gives it one. */
  state: registry === null ? 'invited' : hasAdmin(registry, team) ? 'active' : 'no-admin',
});

export const userRow = (team: Team, user: User) => ({
  id: user.id,
  identity: user.identity,
  description: user.description,
  role: roleIn(team, user.identity) ?? invitedRole(team, user.identity) ?? 'member',
  state: stateIn(team, user),
  home: user.home,
  created: user.created_at,
  updated: user.updated_at,
});

/** `elsewhere`: comes from this team and is not in it. */
const stateIn = (team: Team, { identity, disabled }: User) => {
  if (invitedRole(team, identity) !== undefined) return 'invited';
  if (disabled) return 'disabled';
  return roleIn(team, identity) === undefined ? 'elsewhere' : 'active';
};

export const workerRow = (worker: Worker, onlineSince: string | undefined, token = hiddenToken) => ({
  id: worker.id,
  identity: worker.identity,
  description: worker.description,
  state: onlineSince === undefined ? 'DISCONNECTED' : 'ONLINE',
  /** Only in the answer that made it; else `(hidden)`. */
  token,
  owner: worker.owner,
  created: worker.created_at,
  /** Moves when the worker connects. */
  updated: later(worker.updated_at, onlineSince ?? ''),
});

/** The later of two times in ISO 8601. */
const later = (one: string, other: string): string => (other > one ? other : one);

/** `triggers`: the paths of those definitions that use it and that the reader may see. */
export const serviceRow = (service: Service, triggers: readonly string[]) => ({
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

export const definitionRow = (definition: Definition, holdings: Holdings) => ({
  id: definition.id,
  name: definition.name,
  description: definition.description,
  plugin: definition.plugin,
  hits: holdings.hits(definition.id),
  owner: definition.owner,
  visibility: definition.visibility,
  created: definition.created_at,
  // A hit updates the trigger, as in triggerFS.
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
  /** Null: by the framing. */
  partial: definition.partial,
  /** As `chmod` takes it: `0644`. */
  mode: octal(definition.mode),
});

export const directoryRow = (directory: Directory, holdings: Holdings) => ({
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

export type DefinitionRow = Readonly<ReturnType<typeof definitionRow>>;
export type DirectoryRow = Readonly<ReturnType<typeof directoryRow>>;

const duration = (ms: number | null): string | null => (ms === null ? null : formatDuration(ms));
const octal = (mode: number): string => `0${mode.toString(8).padStart(3, '0')}`;
