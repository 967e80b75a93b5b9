import type { Registry } from '../../src/registry/registry.ts';
import type { Actor } from '../../src/registry/rules/rule-context.ts';
import type { Answer, Statement } from '../../src/registry/statements.ts';
import { MemoryStore } from './memory-store.ts';
import { local, openRegistry, password } from './registry.ts';

export interface World {
  readonly store: MemoryStore;
  readonly registry: Registry;
  /** As this user, logged in in that team. */
  as(identity: string, team?: string): (statement: object) => Promise<Answer>;
  readonly asRoot: (statement: object) => Promise<Answer>;
}

/** An installation in memory with team1 and its admin `ann`. */
export const newWorld = async (): Promise<World> => {
  const store = new MemoryStore();
  const registry = openRegistry({ store, prefix: '/trigger' });
  await registry.initialise({ team: 'team1', identity: 'ann', secret: password });
  const through = (actor: Actor, team: string) => (statement: object) =>
    registry.execute(actor, takesTeam(statement) ? { team, ...statement } : statement);
  return {
    store,
    registry,
    as: (identity, team = 'team1') => through({ kind: 'user', identity, team }, team),
    asRoot: through(local, 'team1'),
  };
};

const takesTeam = (statement: object): boolean =>
  !('verb' in statement) || !['team.add', 'team.set', 'team.list', 'team.delete'].includes(String(statement.verb));

/** Every verb that there is: the compiler says when one is missing. */
const allVerbs: Readonly<Record<Statement['verb'], true>> = {
  'team.add': true,
  'team.set': true,
  'team.list': true,
  'team.delete': true,
  'team.invite': true,
  'team.accept': true,
  'team.decline': true,
  'team.remove': true,
  'user.add': true,
  'user.set': true,
  'user.revoke': true,
  'user.list': true,
  'user.delete': true,
  'worker.add': true,
  'worker.set': true,
  'worker.rotate': true,
  'worker.list': true,
  'worker.delete': true,
  'service.add': true,
  'service.set': true,
  'service.attach': true,
  'service.detach': true,
  'service.list': true,
  'service.delete': true,
  'definition.add': true,
  'definition.set': true,
  'definition.list': true,
  'definition.delete': true,
  'definition.count': true,
  'directory.add': true,
  'directory.set': true,
  'directory.list': true,
  'directory.delete': true,
  'history.list': true,
};
export const verbs = Object.keys(allVerbs);
