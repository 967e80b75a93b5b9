/** Attacks of people who may log in: they try to fill the fleet's etcd, so that nothing can be fired any more. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connect, type EtcdStore } from '../../src/adapters/etcd/connect.ts';
import { Maintenance } from '../../src/adapters/etcd/maintenance.ts';
import { Client, type Statement, TriggerdError } from '../../src/client/client.ts';
import { createNode, type TestNode } from '../support/node.ts';
import { recordingLog } from '../support/recording-log.ts';
import { password, type ServicesSite, startSite } from '../support/services-site.ts';
import { until } from '../support/wait.ts';

const mebibyte = 2 ** 20;
const quotaBytes = 32 * mebibyte;
const etcd = { args: ['--quota-backend-bytes', String(quotaBytes)] };
const argument = 'x'.repeat(4_000);
/** Nearly as much as a definition may have. */
const args = { a: argument, b: argument, c: argument, d: argument };

describe('a member who fills etcd', () => {
  let site: ServicesSite;
  let target: TestNode;
  let maintenance: Maintenance;
  const clients: Client[] = [];

  beforeAll(async () => {
    site = await startSite({ etcd, config: '[sweeper]\nenabled = false\n' });
    const worker = `[workers.team1.demo01]\ntoken = "${await site.addWorker('demo01')}"\n`;
    const config = `[sweeper]\nenabled = false\n[history]\nrequests_size = "1GiB"\n${worker}`;
    target = createNode({ name: 'lb01', etcd: [site.etcd.endpoint], config });
    await target.start();
    const reached = { endpoints: [site.etcd.endpoint] as const, log: recordingLog() };
    maintenance = new Maintenance({ etcd: reached, prefix: '/trigger' });
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.close();
  });
  afterAll(async () => {
    await target?.remove();
    await site?.remove();
  });

  const as = async (identity: string): Promise<Client> => {
    const client = await Client.connect({ brokers: site.brokers, team: 'team1', identity, secret: password });
    clients.push(client);
    return client;
  };
  const newMember = async (identity: string): Promise<void> => {
    // A password on the command line would be refused.
    const { stderr } = await site.run('triggerfs-cli', [], `set users identity ${identity} secret "${password}"\n`);
    expect(stderr).toBe('');
  };
  /** Changes over these connections, over and over, until each is refused. The codes. */
  const flood = (on: readonly Client[], statementOf: (round: number, on: number) => Statement): Promise<string[]> =>
    Promise.all(
      on.map(async (client, index) => {
        for (let round = 0; ; round++) {
          const code = await client.registry(statementOf(round, index)).then(() => undefined, codeOf);
          if (code !== undefined && code !== 'registry-exists') return code;
        }
      }),
    );
  const usedBytes = async (): Promise<number> => (await maintenance.measure()).usedBytes;
  const fires = async (): Promise<void> => {
    const { exitCode, stderr } = await target.trigger(
      ...['fire', 'still here', '--host', 'lb01', '--wait', '--timeout', '60s'],
    );
    expect([exitCode, stderr]).toEqual([0, expect.anything()]);
  };

  it('a member who changes definitions over several connections is refused, and firings go through', async () => {
    await newMember('mallory');
    const before = await usedBytes();
    const connections = [await as('mallory'), await as('mallory'), await as('mallory')];
    await connections[0]?.registry({ verb: 'directory.add', team: 'team1', path: '/flood' });
    const codes = await flood(
      connections,
      (round, index) =>
        ({
          verb: round === 0 ? 'definition.add' : 'definition.set',
          team: 'team1',
          ...(round === 0 ? { path: `/flood/f${index}` } : { name: `/flood/f${index}` }),
          args,
        }) as Statement,
    );
    expect(codes).toEqual(['too-many-changes', 'too-many-changes', 'too-many-changes']);
    // New connections have no new allowance.
    for (let count = 0; count < 5; count++)
      expect(
        await flood([await as('mallory')], () => ({ verb: 'definition.set', team: 'team1', name: '/flood/f0', args })),
      ).toEqual(['too-many-changes']);
    expect((await usedBytes()) - before).toBeLessThan(8 * mebibyte);
    await fires();
  });

  it('a member who defines more arguments than a definition may have is refused', async () => {
    await newMember('eve');
    const client = await as('eve');
    await client.registry({ verb: 'directory.add', team: 'team1', path: '/large' });
    const many = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`a${index}`, argument]));
    const error = await client
      .registry({ verb: 'definition.add', team: 'team1', path: '/large/one', args: many })
      .catch(refusal);
    expect(error).toMatchObject({ code: 'registry-invalid', message: expect.stringContaining('16384 are allowed') });
  });

  it('a member whose trigger files count too many hits is refused', async () => {
    await newMember('oscar');
    const client = await as('oscar');
    await client.registry({ verb: 'directory.add', team: 'team1', path: '/hits' });
    const ids: number[] = [];
    for (let count = 0; count < 20; count++) {
      const { rows } = await client.registry({ verb: 'definition.add', team: 'team1', path: `/hits/h${count}` });
      ids.push((rows[0] as { id: number }).id);
    }
    const before = await usedBytes();
    const [code] = await flood([client], (round) => ({
      verb: 'definition.count',
      team: 'team1',
      counter: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
      hits: Object.fromEntries(ids.map((id) => [id, round + 1])),
    }));
    expect(code).toBe('too-many-changes');
    expect((await usedBytes()) - before).toBeLessThan(8 * mebibyte);
    // Hits have an allowance of their own.
    await client.registry({ verb: 'directory.add', team: 'team1', path: '/other' });
  });

  it('a member’s requests with large payloads leave small records', async () => {
    await newMember('trudy');
    const client = await as('trudy');
    const before = await usedBytes();
    const payload = Buffer.alloc(1_000_000, 'x');
    const admin = await as('hp');
    await admin.registry({ verb: 'service.add', team: 'team1', name: 'echo', visibility: 'team' });
    await admin.registry({ verb: 'service.attach', team: 'team1', name: 'echo', worker: 'demo01' });
    await until(
      () =>
        client.request({ service: 'echo', plugin: 'echo' }).result.then(
          () => true,
          () => false,
        ),
      'a worker of the service',
    );
    for (let count = 0; count < 40; count++) {
      const { result } = client.request({ service: 'echo', plugin: 'echo', payload, output: 'discard' });
      expect(await result).toMatchObject({ result: 'succeeded', exitCode: 0 });
    }
    const { rows } = await until(async () => {
      const answer = await client.registry({ verb: 'history.list', team: 'team1', limit: 100 });
      return answer.rows.length >= 40 ? answer : undefined;
    }, 'the records');
    expect(rows.length).toBeGreaterThanOrEqual(40);
    expect((await usedBytes()) - before).toBeLessThan(2 * mebibyte);
    await fires();
  });

  it('many members together leave room for firings, may delete, and can be disabled', async () => {
    const identities = Array.from({ length: 9 }, (_, index) => `sybil${index}`);
    for (const identity of identities) await newMember(identity);
    const codes: string[] = [];
    for (const identity of identities) {
      const client = await as(identity);
      codes.push(
        ...(await flood(
          [client],
          (round) =>
            ({
              verb: round === 0 ? 'definition.add' : 'definition.set',
              team: 'team1',
              ...(round === 0 ? { path: `/flood/${identity}` } : { name: `/flood/${identity}` }),
              args,
            }) as Statement,
        )),
      );
    }
    expect(codes).toContain('etcd-nearly-full');
    const { fileBytes } = await maintenance.measure();
    expect(fileBytes).toBeLessThan(quotaBytes);
    await fires();
    const admin = await as('hp');
    const more: Statement = { verb: 'definition.add', team: 'team1', path: '/flood/hp', args };
    expect(await admin.registry(more).catch(refusal)).toMatchObject({ code: 'etcd-nearly-full' });
    await admin.registry({ verb: 'definition.delete', team: 'team1', name: '/flood/sybil0' });
    await admin.registry({ verb: 'user.set', team: 'team1', identity: 'sybil1', disabled: true });
    await admin.registry({ verb: 'user.revoke', team: 'team1', identity: 'sybil2' });
    const { stdout } = await target.trigger('doctor');
    expect(stdout).toMatch(/(WARN|WRONG) .* in use, a file of .* of 32\.0 MiB/);
  });
});

describe('an etcd that is full', () => {
  let site: ServicesSite;
  let target: TestNode;
  let store: EtcdStore;
  const sweepers: TestNode[] = [];

  beforeEach(async () => {
    site = await startSite({ etcd, config: '[sweeper]\nenabled = false\n' });
    target = createNode({ name: 'lb01', etcd: [site.etcd.endpoint], config: '[sweeper]\nenabled = false\n' });
    await target.start();
    store = connect({ endpoints: [site.etcd.endpoint], requestTimeoutMs: 60_000, log: recordingLog() });
  });
  afterEach(async () => {
    for (const node of sweepers.splice(0)) await node.remove();
    await store?.close();
    await target?.remove();
    await site?.remove();
  });

  const startSweeper = async (): Promise<void> => {
    const config = '[sweeper]\ninterval = "200ms"\ncompact_after = "1s"\n';
    const node = createNode({ name: 'sweep01', etcd: [site.etcd.endpoint], watch: 'enabled = false', config });
    sweepers.push(node);
    await node.start();
  };
  const fill = async (key = '/trigger/v1/filler'): Promise<void> => {
    const value = 'x'.repeat(500_000);
    const write = () => store.commit({ compare: [], write: [{ put: key, value }] });
    while (await write().then(() => true, isRoom));
  };
  const fires = () => target.trigger('fire', 'still here', '--host', 'lb01', '--wait', '--timeout', '5s');

  it('the sweeper makes room in a full etcd, although etcd is too full for an election', async () => {
    await fill();
    await startSweeper();
    await until(async () => (await fires()).exitCode === 0, 'a firing that goes through');
    // The one that is elected does the same.
    await until(async () => (await store.get('/trigger/v1/elections/sweeper/holder')) !== undefined, 'a sweeper');
    await fill();
    await until(async () => (await fires()).exitCode === 0, 'a firing that goes through again');
  });

  it('the sweeper leaves a full etcd alone that others use, and says so in the log', async () => {
    await fill('/others/filler');
    await startSweeper();
    await until(
      () => sweepers[0]?.log().some(({ msg }) => msg.includes('has keys of others')),
      'the sweeper to say that etcd is not its own',
    );
    expect((await fires()).exitCode).not.toBe(0);
  });
});

const isRoom = (error: unknown): boolean => {
  if (codeOf(error) !== 'etcd-no-space') throw error;
  return false;
};
const codeOf = (error: unknown): string => (error instanceof TriggerdError ? error.code : String(error));
const refusal = (error: unknown) =>
  error instanceof TriggerdError
    ? { code: error.code, message: error.message, retryAfterMs: error.details['retry_after_ms'] }
    : error;
