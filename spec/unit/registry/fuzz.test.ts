import { expect, it } from 'vitest';
import { TriggerdError } from '../../../src/domain/errors.ts';
import type { Actor } from '../../../src/registry/rules/rule-context.ts';
import { decide } from '../../../src/registry/rules/rules.ts';
import { parseStatement } from '../../../src/registry/statements.ts';
import { announced } from '../../support/random.ts';
import { local, password } from '../../support/registry.ts';
import { newWorld, verbs } from '../../support/registry-world.ts';

const rounds = 20_000;
const facts = {
  now: '',
  secretHash: '',
  workerToken: { token: '', hash: '' },
  online: new Map<string, string>(),
  argumentBytes: 16_384,
};

it('the registry answers any statement of any caller with a change or a refusal of the catalogue', async () => {
  const random = announced('registry statements');
  const world = await newWorld();
  await world.asRoot({ verb: 'user.add', identity: 'bob', secret: password });
  await world.asRoot({ verb: 'worker.add', identity: 'w' });
  await world.asRoot({ verb: 'service.add', name: 's' });
  await world.asRoot({ verb: 'service.attach', name: 's', worker: 'w' });
  await world.asRoot({ verb: 'directory.add', path: '/d' });
  await world.asRoot({ verb: 'definition.add', path: '/d/t', service: 's' });
  const registry = await world.registry.mirror.current();

  const names = ['team1', 'ann', 'bob', 'w', 's', 't', '/d', '/d/t', '/', '/d/d/t', '/x', 'team1/s', 'team1/team1/s'];
  const odd = [
    '',
    '..',
    '__proto__',
    'constructor',
    'toString',
    '\0',
    '\u202e',
    'ä',
    '%n',
    '$(id)',
    'x'.repeat(70),
    '\ud800',
  ];
  const words = [
    'local',
    'team',
    'public',
    'serial',
    'mirror',
    'always',
    'line',
    'close',
    'sync',
    'admin',
    'member',
    password,
  ];
  const others = [
    null,
    true,
    false,
    0,
    -1,
    1,
    7.5,
    1e21,
    Number.NaN,
    [],
    ['w'],
    {},
    { a: 'b' },
    { __proto__: null },
    420,
  ];
  const fields = [
    'team',
    'name',
    'identity',
    'worker',
    'path',
    'to',
    'role',
    'secret',
    'description',
    'owner',
    'disabled',
    'service',
    'algorithm',
    'retry',
    'timeout_ms',
    'visibility',
    'plugin',
    'args',
    'framing',
    'delivery',
    'durable',
    'max_message',
    'deadline_ms',
    'partial',
    'mode',
    'limit',
    'request',
    'token',
    'constructor',
  ];
  const actors: Actor[] = [
    local,
    ...['ann', 'bob', 'zoe'].map((identity) => ({ kind: 'user', identity, team: 'team1' }) as const),
  ];
  const value = (): unknown => {
    const dice = random.next();
    if (dice < 0.6) return random.pick(names);
    if (dice < 0.75) return random.pick(words);
    return dice < 0.9 ? random.pick(odd) : random.pick(others);
  };

  const answers = { decided: 0, refused: 0 };
  for (let round = 0; round < rounds; round++) {
    const verb = random.pick([...verbs, 'nonsense']);
    const needed = neededBy(verb);
    const more = random.next() < 0.5 ? [random.pick(fields)] : [];
    const statement: Record<string, unknown> = { verb };
    for (const field of [...needed, ...more])
      statement[field] = field === 'team' && random.next() < 0.8 ? 'team1' : value();
    try {
      decide({ registry, actor: random.pick(actors), facts }, parseStatement(statement));
      answers.decided++;
    } catch (error) {
      if (!(error instanceof TriggerdError) || !error.code.startsWith('registry-')) throw error;
      expect(error.message).not.toMatch(/\p{Cc}/u);
      answers.refused++;
    }
  }
  // Neither of them alone would be a test.
  expect(answers.decided).toBeGreaterThan(rounds / 50);
  expect(answers.refused).toBeGreaterThan(rounds / 50);
});

const neededBy = (verb: string): string[] => {
  const [kind = '', act = ''] = verb.split('.');
  if (verb === 'team.list') return [];
  if (kind === 'team' && ['add', 'set', 'delete'].includes(act)) return ['name'];
  const own: Record<string, string[]> = {
    team: act === 'accept' || act === 'decline' ? [] : ['identity', ...(act === 'invite' ? ['role'] : [])],
    user: ['identity', ...(act === 'add' ? ['secret'] : [])],
    worker: ['identity'],
    service: ['name', ...(act === 'attach' || act === 'detach' ? ['worker'] : [])],
    definition: [act === 'add' ? 'path' : 'name'],
    directory: ['path'],
  };
  return ['team', ...(act === 'list' ? [] : (own[kind] ?? []))];
};
