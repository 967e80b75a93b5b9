/** Every statement of the console. Where a text fits two forms, the first one counts. */
import type { DefinitionSettings } from '../registry/statements.ts';
import { type Ask, type Command, type Form, form } from './form.ts';
import { definitionSettings, descriptionSetting, serviceSettings, userSettings } from './settings.ts';
import type { SlotName } from './slots.ts';

const ask = (ask: Ask): Command => ({ kind: 'registry', ask, only: null });
const list = (ask: Ask, only: string | null = null): Command => ({ kind: 'registry', ask, only });

type ListVerb = 'worker.list' | 'service.list' | 'definition.list' | 'directory.list' | 'team.list' | 'user.list';

/** `show workers`, `show workers <worker>`. */
const show = (verb: ListVerb, plural: string, slot: SlotName, [all, one]: readonly [string, string]): Form[] => [
  form(`show ${plural}`, all, () => list({ verb })),
  form(`show ${plural} <${slot}>`, one, (values) => list({ verb }, String(values[slot]))),
];

const workers: readonly Form[] = [
  form(
    'set workers identity <worker>',
    'create a worker; its token is shown once',
    ({ worker, ...given }) => ask({ verb: 'worker.add', identity: worker, ...given }),
    { of: descriptionSetting },
  ),
  form('set workers <worker> token rotate', 'replace the token; the new one is shown once', ({ worker }) =>
    ask({ verb: 'worker.rotate', identity: worker }),
  ),
  form(
    'set workers <worker>',
    'change a worker',
    ({ worker, ...given }) => ask({ verb: 'worker.set', identity: worker, ...given }),
    { of: descriptionSetting, least: 1 },
  ),
  ...show('worker.list', 'workers', 'worker', ['show all workers', 'show one worker']),
  form('delete workers [identity] <worker>', 'delete a worker', ({ worker }) =>
    ask({ verb: 'worker.delete', identity: worker }),
  ),
];

const services: readonly Form[] = [
  form(
    'set services name <service>',
    'create a service',
    ({ service, ...given }) => ask({ verb: 'service.add', name: service, ...given }),
    { of: serviceSettings },
  ),
  form('set services <service> workers add <worker>', 'attach a worker to a service', ({ service, worker }) =>
    ask({ verb: 'service.attach', name: service, worker }),
  ),
  form('set services <service> workers remove <worker>', 'detach a worker from a service', ({ service, worker }) =>
    ask({ verb: 'service.detach', name: service, worker }),
  ),
  form(
    'set services <service>',
    'change a service',
    ({ service, ...given }) => ask({ verb: 'service.set', name: service, ...given }),
    { of: serviceSettings, least: 1 },
  ),
  ...show('service.list', 'services', 'service', ['show all services', 'show one service']),
  form('delete services [name] <service>', 'delete a service', ({ service }) =>
    ask({ verb: 'service.delete', name: service }),
  ),
  form('delete services <service> workers <worker>', 'detach a worker from a service', ({ service, worker }) =>
    ask({ verb: 'service.detach', name: service, worker }),
  ),
  form('delete services <service> timeout', 'remove the timeout of the service', ({ service }) =>
    ask({ verb: 'service.set', name: service, timeout_ms: null }),
  ),
  form('delete services <service> description', 'remove the description', ({ service }) =>
    ask({ verb: 'service.set', name: service, description: '' }),
  ),
];

const unset = (setting: string, about: string, change: DefinitionSettings): Form =>
  form(`delete triggers <trigger> ${setting}`, about, ({ trigger }) =>
    ask({ verb: 'definition.set', name: trigger, ...change }),
  );

const triggers: readonly Form[] = [
  form(
    'set triggers name <path>',
    'create a trigger; its directory must exist',
    ({ path, ...given }) => ask({ verb: 'definition.add', path, ...given }),
    { of: definitionSettings },
  ),
  form('set triggers <trigger> service attach <service>', 'send writes to this service', ({ trigger, service }) =>
    ask({ verb: 'definition.set', name: trigger, service }),
  ),
  form('set triggers <trigger> service detach', 'send writes nowhere', ({ trigger }) =>
    ask({ verb: 'definition.set', name: trigger, service: null }),
  ),
  form(
    'set triggers <trigger>',
    'change a trigger; `path` moves it',
    ({ trigger, ...given }) => ask({ verb: 'definition.set', name: trigger, ...given }),
    { of: { ...definitionSettings, path: 'path' }, least: 1 },
  ),
  ...show('definition.list', 'triggers', 'trigger', ['show all triggers', 'show one trigger, by name or path']),
  form('delete triggers [name] <trigger>', 'delete a trigger', ({ trigger }) =>
    ask({ verb: 'definition.delete', name: trigger }),
  ),
  unset('service', 'send writes nowhere', { service: null }),
  unset('plugin', 'remove the plugin of the trigger', { plugin: null }),
  form('delete triggers <trigger> args <argument>', 'remove an argument', ({ trigger, argument }) =>
    ask({ verb: 'definition.set', name: trigger, args: { [argument]: null } }),
  ),
  unset('timeout', 'remove the timeout of the trigger', { timeout_ms: null }),
  unset('deadline', 'remove the deadline of the trigger', { deadline_ms: null }),
  unset('partial', 'let the framing decide on messages of killed writers', { partial: null }),
  unset('description', 'remove the description', { description: '' }),
];

const directories: readonly Form[] = [
  form(
    'set directories name <path>',
    'create a directory for triggers and directories',
    ({ path, ...given }) => ask({ verb: 'directory.add', path, ...given }),
    { of: { mode: 'mode' } },
  ),
  form('set directories <path>', 'create a directory', ({ path }) => ask({ verb: 'directory.add', path })),
  form('mkdir <path>', 'create a directory', ({ path }) => ask({ verb: 'directory.add', path })),
  form(
    'set directories <path>',
    'change a directory; `to` moves it with its content',
    ({ path, ...given }) => ask({ verb: 'directory.set', path, ...given }),
    { of: { to: 'path', mode: 'mode' }, least: 1 },
  ),
  ...show('directory.list', 'directories', 'path', ['show all directories', 'show one directory']),
  form('delete directories [name] <path>', 'delete an empty directory', ({ path }) =>
    ask({ verb: 'directory.delete', path }),
  ),
  form('rmdir <path>', 'delete an empty directory', ({ path }) => ask({ verb: 'directory.delete', path })),
];

const teams: readonly Form[] = [
  form(
    'set teams name <team>',
    'create a team; you become its admin',
    ({ team, ...given }) => ask({ verb: 'team.add', name: team, ...given }),
    { of: descriptionSetting },
  ),
  form(
    'set teams <team> invite <user>',
    'invite a user to a team',
    ({ team, user, role = 'member' }) => ask({ verb: 'team.invite', team, identity: user, role }),
    { of: { role: 'role' } },
  ),
  form(
    'set teams <team> users add <user>',
    'do the same as invite',
    ({ team, user, role = 'member' }) => ask({ verb: 'team.invite', team, identity: user, role }),
    { of: { role: 'role' } },
  ),
  form('set teams <team> accept', 'join a team that invited you', ({ team }) => ask({ verb: 'team.accept', team })),
  form('set teams <team> decline', 'decline the invitation of a team', ({ team }) =>
    ask({ verb: 'team.decline', team }),
  ),
  form('set teams <team> users remove <user>', 'remove a user from the team', ({ team, user }) =>
    ask({ verb: 'team.remove', team, identity: user }),
  ),
  form('set teams <team>', 'change a team', ({ team, ...given }) => ask({ verb: 'team.set', name: team, ...given }), {
    of: { ...descriptionSetting, owner: 'user' },
    least: 1,
  }),
  ...show('team.list', 'teams', 'team', ['show your teams, and invitations', 'show one team']),
  form('delete teams [name] <team>', 'delete a team', ({ team }) => ask({ verb: 'team.delete', name: team })),
  form('delete teams <team> users <user>', 'remove a user from the team', ({ team, user }) =>
    ask({ verb: 'team.remove', team, identity: user }),
  ),
];

const users: readonly Form[] = [
  form(
    'set users identity <user>',
    'create a user; asks for a password if there is no secret',
    ({ user, secret, ...given }) => {
      const add = (password: string): Ask => ({ verb: 'user.add', identity: user, secret: password, ...given });
      return secret === undefined ? { kind: 'secret', user, ask: add } : ask(add(secret));
    },
    { of: { ...userSettings, secret: 'secret' } },
  ),
  form('set users <user> secret', 'change the password; the console asks for it', ({ user }) => ({
    kind: 'secret',
    user,
    ask: (secret) => ({ verb: 'user.set', identity: user, secret }),
  })),
  form('set users <user> tokens revoke', 'end all logins and tokens of a user', ({ user }) =>
    ask({ verb: 'user.revoke', identity: user }),
  ),
  form(
    'set users <user>',
    'change a user',
    ({ user, ...given }) => ask({ verb: 'user.set', identity: user, ...given }),
    { of: { ...userSettings, secret: 'secret', disabled: 'flag' }, least: 1 },
  ),
  ...show('user.list', 'users', 'user', ['show the users of the team', 'show one user']),
  form('delete users [identity] <user>', 'delete a user', ({ user }) => ask({ verb: 'user.delete', identity: user })),
];

const requests: readonly Form[] = [
  form(
    'request [service] <service> plugin <plugin>',
    'send a request to a service, and show the replies',
    ({ service, plugin, command = '', args = {}, timeout_ms = null }) => ({
      kind: 'request',
      request: { service, plugin, command, args, timeoutMs: timeout_ms },
    }),
    { of: { command: 'text', args: 'pair', timeout_ms: 'duration' } },
  ),
  form(
    'show requests',
    'show your open requests at this broker; as admin, the team’s',
    (given) => list({ verb: 'request.list', ...given }),
    { of: { user: 'user', service: 'service', limit: 'count' } },
  ),
  form('show requests <request>', 'show all facts about one open request', ({ request }) =>
    list({ verb: 'request.list', request }, request),
  ),
  form('delete requests user <user>', 'cancel all requests of a user', ({ user }) =>
    ask({ verb: 'request.cancel', user }),
  ),
  form('delete requests <request>', 'cancel a request', ({ request }) => ask({ verb: 'request.cancel', request })),
  form('show history', 'show ended requests, newest first', (given) => list({ verb: 'history.list', ...given }), {
    of: { service: 'service', worker: 'worker', limit: 'count' },
  }),
  form('show history request <request>', 'show all facts about one request', ({ request }) =>
    list({ verb: 'history.list', request }, request),
  ),
];

const session: readonly Form[] = [
  form('help', 'show all statements', () => ({ kind: 'help', about: null })),
  form('help <word>', 'show the statements with this word', ({ word }) => ({ kind: 'help', about: word })),
  form('configure', 'enter the configure mode; scripts do not need it', () => ({ kind: 'configure' })),
  form('exit', 'leave the configure mode, or the console', () => ({ kind: 'exit' })),
  form('quit', 'do the same as exit', () => ({ kind: 'exit' })),
];

/** By what they are about, as `help` shows them. */
export const grammar: readonly { readonly about: string; readonly forms: readonly Form[] }[] = [
  { about: 'Workers', forms: workers },
  { about: 'Services', forms: services },
  { about: 'Triggers', forms: triggers },
  { about: 'Directories', forms: directories },
  { about: 'Teams', forms: teams },
  { about: 'Users', forms: users },
  { about: 'Requests', forms: requests },
  { about: 'Console', forms: session },
];

export const allForms: readonly Form[] = grammar.flatMap(({ forms }) => forms);
