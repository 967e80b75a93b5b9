import { beforeEach, describe, expect, it } from 'vitest';
import type { EtcdStore } from '../../../src/adapters/etcd/connect.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import { local, openAccounts, openRegistry, password, type TestAccounts } from '../../support/registry.ts';
import { type EtcdPlace, test } from '../../support/test.ts';
import { until } from '../../support/wait.ts';

describe('the registry on a real etcd', () => {
  let etcd: EtcdPlace;
  let store: EtcdStore;
  let registry: Registry;
  let prefix: string;
  let runs = 0;

  test.beforeAll(async ({ etcd: place, store: shared }) => {
    etcd = place;
    store = shared;
  });
  beforeEach(async () => {
    prefix = `${etcd.prefix}/run${++runs}`;
    registry = openRegistry({ store, prefix });
  });

  const init = () => registry.initialise({ team: 'team1', identity: 'hp', secret: password });

  it('the registry follows the documentation’s example: worker, service, attach, directory, trigger', async () => {
    await init();
    const hp = { kind: 'user', identity: 'hp', team: 'team1' } as const;
    const run = (statement: object) => registry.execute(hp, { team: 'team1', ...statement });

    const added = await run({ verb: 'worker.add', identity: 'demo01' });
    expect(added.rows).toMatchObject([{ id: 1, identity: 'demo01', state: 'DISCONNECTED', owner: 'hp' }]);
    const { token } = added.rows[0] as { token: string };
    expect(token).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(added.notices.join()).toContain(token);
    expect((await run({ verb: 'worker.list' })).rows).toMatchObject([{ identity: 'demo01', token: '(hidden)' }]);

    await run({ verb: 'service.add', name: 'demoservice' });
    const attached = await run({ verb: 'service.attach', name: 'demoservice', worker: 'demo01' });
    expect(attached.notices[0]).toContain('this service has algorithm roundrobin');
    await run({ verb: 'directory.add', path: '/newtrigger' });
    await run({ verb: 'definition.add', path: '/newtrigger/demotrigger' });
    await run({ verb: 'definition.set', name: 'demotrigger', plugin: 'command/command' });
    await run({ verb: 'definition.set', name: 'demotrigger', service: 'demoservice' });

    const services = await run({ verb: 'service.list' });
    expect(services.kind).toBe('service');
    expect(services.rows).toEqual([
      {
        id: 1,
        name: 'demoservice',
        description: '',
        timeout: null,
        algorithm: 'roundrobin',
        triggers: ['/newtrigger/demotrigger'],
        workers: ['demo01'],
        visibility: 'local',
        owner: 'hp',
        created: expect.any(String),
        updated: expect.any(String),
        retry: 'if-unstarted',
      },
    ]);
    expect((await run({ verb: 'definition.list' })).rows).toMatchObject([
      { id: 2, name: 'demotrigger', plugin: 'command/command', hits: 0, owner: 'hp', visibility: 'local' },
    ]);
  });

  it('the registry is set up once: a second first team is refused, and nothing is possible before the first', async () => {
    await expect(registry.execute(local, { verb: 'team.add', name: 'ops' })).rejects.toMatchObject({
      code: 'registry-empty',
    });
    await init();
    await expect(registry.initialise({ team: 'other', identity: 'eve', secret: password })).rejects.toMatchObject({
      code: 'registry-exists',
    });
  });

  describe('with brokers', () => {
    let a: TestAccounts;
    let b: TestAccounts;

    beforeEach(async () => {
      await init();
      a = await openAccounts({ store, prefix, broker: 'a' });
      b = await openAccounts({ store, prefix, broker: 'b' });
      return async () => {
        await a.close();
        await b.close();
      };
    });

    it('a login at one broker is valid at every one, until its user is disabled', async () => {
      const { jwt } = await a.accounts.login({ team: 'team1', identity: 'hp', secret: password });
      expect(a.mirrored.callerOf(jwt)).toMatchObject({ identity: 'hp', team: 'team1', role: 'admin' });
      await until(() => b.mirrored.state.issuers.has(a.issuer.kid), 'the other key');
      expect(b.mirrored.callerOf(jwt)).toBeUndefined();
      await b.accounts.admit(jwt);
      expect(b.mirrored.callerOf(jwt)).toMatchObject({ identity: 'hp', team: 'team1', role: 'admin' });

      await registry.execute(local, { verb: 'user.revoke', team: 'team1', identity: 'hp' });
      await until(() => refuses(() => b.mirrored.callerOf(jwt)), 'the revocation to arrive');
      await expect(b.accounts.admit(jwt)).rejects.toMatchObject({ code: 'token-invalid' });
    });

    it('every broker sees a change of the registry by its watch', async () => {
      const seen: string[] = [];
      b.mirrored.onChange(() => seen.push('change'));
      await a.registry.execute(local, { verb: 'worker.add', team: 'team1', identity: 'demo01' });
      await until(() => b.mirrored.servicesOf('team1', 'demo01'), 'the worker to be known');
      expect(seen).not.toEqual([]);
    });
  });
});

const refuses = (look: () => unknown): boolean => {
  try {
    look();
    return false;
  } catch (error) {
    expect(error).toMatchObject({ code: 'token-invalid' });
    return true;
  }
};
