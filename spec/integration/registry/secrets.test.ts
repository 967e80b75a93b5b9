import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { createPasswords } from '../../../src/adapters/crypto/passwords.ts';
import { connect } from '../../../src/adapters/etcd/connect.ts';
import { startEtcd } from '../../support/etcd.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { local, openAccounts, openRegistry } from '../../support/registry.ts';
import { until } from '../../support/wait.ts';

/** G14: of everything that somebody proves himself by, neither logs nor errors nor etcd have more than a hash. */
it('the registry puts no password and no token into a log, an error, an answer or etcd', async () => {
  const etcd = await startEtcd();
  const log = recordingLog();
  const store = connect({ endpoints: [etcd.endpoint], requestTimeoutMs: 3_000, log });
  const seen: unknown[] = [];
  const passwords = {
    hp: 'swordfish swordfish',
    eve: 'open sesame, please',
    wrong: 'guess guess guess',
    short: 'tiny',
  };
  const options = { store, prefix: '/trigger', log, passwords: createPasswords() };
  const first = openRegistry(options);
  seen.push(await first.initialise({ team: 'team1', identity: 'hp', secret: passwords.hp }));
  const broker = await openAccounts(options);
  const keep = async (work: Promise<unknown>) => void seen.push(await work.catch((error: unknown) => error));
  const root = (statement: object) => broker.registry.execute(local, { team: 'team1', ...statement });

  const { jwt } = await broker.accounts.login({ team: 'team1', identity: 'hp', secret: passwords.hp });
  const added = await root({ verb: 'worker.add', identity: 'demo01' });
  const { token } = added.rows[0] as { token: string };
  await keep(root({ verb: 'user.add', identity: 'eve', secret: passwords.eve }));
  await keep(root({ verb: 'user.add', identity: 'eve', secret: passwords.eve }));
  await keep(root({ verb: 'user.add', identity: 'bob', secret: passwords.short }));
  await keep(root({ verb: 'user.add', identity: 'bob', secret: [passwords.eve] }));
  await keep(root({ verb: 'user.add', identity: 'bob', password: passwords.eve }));
  await keep(root({ verb: 'user.set', identity: 'nobody', secret: passwords.eve }));
  await keep(root({ verb: 'user.list' }));
  await keep(root({ verb: 'worker.list' }));
  const eve = { team: 'team1', identity: 'eve' };
  await keep(broker.accounts.login({ ...eve, secret: passwords.wrong }));
  await keep(broker.accounts.login({ ...eve, secret: passwords.hp }));
  await keep(broker.accounts.checkWorker({ ...eve, token: passwords.wrong }));
  await keep(broker.accounts.checkWorker({ team: 'team1', identity: 'demo01', token }));
  await keep(broker.accounts.admit(`${jwt.slice(0, -3)}AAA`));
  await keep(broker.accounts.admit(passwords.wrong));
  etcd.freeze();
  await keep(root({ verb: 'user.set', identity: 'eve', secret: passwords.wrong }));
  etcd.thaw();

  const { entries } = await until(() => store.list('/').catch(() => undefined), 'an answer');
  // Errors with their causes, as a log would show them.
  const everything = inspect(
    { entries, seen, log: log.lines },
    { depth: 20, maxStringLength: null, maxArrayLength: null },
  );
  expect(everything).toContain('$argon2id$');
  for (const secret of [...Object.values(passwords), token, jwt]) expect(everything).not.toContain(secret);
  // Hashes stay where they are.
  expect(inspect({ seen, log: log.lines }, { depth: 20, maxStringLength: null })).not.toContain('argon2');
  await broker.close();
  await store.close();
  await etcd.stop();
});
