import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { ulid } from 'ulid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeFromWorker } from '../../src/bus/codec/encode.ts';
import { decodeToWorker } from '../../src/bus/codec/to-worker.ts';
import { root, type TestNode } from '../support/node.ts';
import { client, Peer, requestFor, sayReady, type TestClient, type TestWorker, worker } from '../support/peers.ts';
import { mainSection, password, type ServicesSite, startSite } from '../support/services-site.ts';
import { until } from '../support/wait.ts';

const year = 365 * 86_400_000;

/**
 * Attacks of a member and of a stranger on a real broker, its registry in a real etcd. hp is admin of team1 and governs
 * mallory, who is a member there.
 */
describe('a member and a stranger', () => {
  let site: ServicesSite;
  let broker: TestNode;
  const peers: TestClient[] = [];
  let nonce = 0;

  beforeAll(async () => {
    site = await startSite({ heartbeat: '30s' });
    const [first] = site.brokers;
    if (first === undefined) throw new Error('no broker');
    broker = first.node;
    const hp = await as('hp', 'team1');
    for (const identity of ['mallory', 'bob'])
      await hp.ask({ verb: 'user.add', team: 'team1', identity, secret: password });
    await hp.ask({ verb: 'worker.add', team: 'team1', identity: 'w1' });
  });
  afterAll(async () => {
    await Promise.all(peers.map((peer) => peer.close()));
    await site?.remove();
  });

  const connect = async (): Promise<TestClient> => {
    const [address] = site.brokers;
    if (address === undefined) throw new Error('no broker');
    const peer = await client({ id: 'broker1', ...address });
    peers.push(peer);
    return peer;
  };

  /** What answers the question with this number. */
  const answerTo = async (peer: TestClient, n: number) => {
    const answer = await until(() => peer.heard.find((each) => 'n' in each && each.n === n), `the answer ${n}`);
    return answer.op === 'refused' ? { code: answer.code, message: answer.message } : { code: null, body: answer.body };
  };

  const login = async (peer: TestClient, team: string, identity: string, secret: string = password) => {
    const n = ++nonce;
    peer.say({ op: 'login', n, team, identity }, secret);
    return answerTo(peer, n);
  };

  /** Logged in: what a statement comes to. */
  const as = async (identity: string, team: string) => {
    const peer = await connect();
    const { body: jwt = '', code } = await login(peer, team, identity);
    if (code !== null) throw new Error(`${identity}: ${code}`);
    const ask = async (statement: object) => {
      const n = ++nonce;
      peer.say({ op: 'registry', jwt, n, statement });
      return answerTo(peer, n);
    };
    const rows = async (statement: object) =>
      JSON.parse((await ask(statement)).body ?? '').rows as Record<string, unknown>[];
    return { peer, jwt, ask, rows };
  };

  const triggerAs = async (identity: string, ...statements: string[]) => {
    const file = join(broker.dir, `${identity}.toml`);
    const login = `team = "team1"\nidentity = "${identity}"\nsecret = "${password}"\n`;
    writeFileSync(file, `${mainSection(site.brokers)}${login}`, { mode: 0o600 });
    const args = ['-config', file, '-json', ...statements.flatMap((each) => ['-c', each])];
    return execa(join(root, 'bin/triggerfs-cli'), args, { reject: false, env: { HOME: broker.dir } });
  };

  it('a member who is the last admin of an own team, and has left home, is disabled by the admin of the home', async () => {
    const mallory = await as('mallory', 'team1');
    await mallory.ask({ verb: 'team.add', name: 'refuge' });
    const refuge = await as('mallory', 'refuge');
    await refuge.ask({ verb: 'user.add', team: 'refuge', identity: 'puppet', secret: password, role: 'admin' });
    const puppet = await as('puppet', 'refuge');
    await mallory.ask({ verb: 'team.remove', team: 'team1', identity: 'mallory' });
    const hp = await as('hp', 'team1');
    const listed = await hp.rows({ verb: 'user.list', team: 'team1' });
    expect(listed).toMatchObject([
      { identity: 'hp' },
      { identity: 'bob' },
      { identity: 'mallory', state: 'elsewhere' },
      { identity: 'puppet' },
    ]);
    for (const identity of ['mallory', 'puppet'])
      expect(await hp.ask({ verb: 'user.set', team: 'team1', identity, disabled: true })).toMatchObject({ code: null });
    for (const session of [refuge, puppet])
      await until(
        async () => (await session.ask({ verb: 'team.list' })).code === 'token-invalid',
        'the end of what they are logged in with',
      );
    // The team has nobody; everybody is told so, and root puts somebody in.
    const teams = () => broker.json<{ name: string; state: string }[]>('team', 'show', '--json');
    expect(await teams()).toContainEqual(expect.objectContaining({ name: 'refuge', state: 'no-admin' }));
    await broker.trigger('team', 'invite', 'refuge', 'bob', '--role', 'admin');
    expect(await teams()).toContainEqual(expect.objectContaining({ name: 'refuge', state: 'active' }));
    expect(await broker.trigger('team', 'delete', 'refuge', '--force')).toMatchObject({ exitCode: 0 });
    await hp.ask({ verb: 'user.delete', team: 'team1', identity: 'mallory' });
    await hp.ask({ verb: 'user.add', team: 'team1', identity: 'mallory', secret: password });
  });

  it('a member does not get all teams that are allowed, neither alone nor by users of their own making', async () => {
    const mallory = await as('mallory', 'team1');
    const codes = [];
    for (let number = 0; number < 15; number++)
      codes.push((await mallory.ask({ verb: 'team.add', name: `t${number}` })).code);
    const own = await as('mallory', 't0');
    await own.ask({ verb: 'user.add', team: 't0', identity: 'm1', secret: password, role: 'admin' });
    const m1 = await as('m1', 't0');
    for (let number = 15; number < 22; number++)
      codes.push((await m1.ask({ verb: 'team.add', name: `t${number}` })).code);
    expect(codes.filter((code) => code === null)).toHaveLength(20);
    expect(codes.slice(20)).toEqual(['registry-full', 'registry-full']);
    const bob = await as('bob', 'team1');
    expect(await bob.ask({ verb: 'team.add', name: 'bobs' })).toMatchObject({ code: null });
  });

  it('a member with users of their own making holds at most a quarter of a broker, for a day; admins see and end it', async () => {
    const { stdout } = await broker.trigger('worker', 'rotate', 'w1', '--team', 'team1', '--json');
    const { token } = JSON.parse(stdout) as { token: string };
    const [address] = site.brokers;
    if (address === undefined) throw new Error('no broker');
    const deaf = await worker({ id: 'broker1', ...address }, { identity: 'w1', token, free: 0 });
    await broker.trigger('service', 'add', 'open', '--team', 'team1', '--visibility', 'public');
    await broker.trigger('service', 'attach', 'open', 'w1', '--team', 'team1');
    deaf.say({ op: 'announce', services: ['w1', 'open'] });
    const mallory = await as('mallory', 'team1');
    const m1 = await as('m1', 't0');
    const payload = 'x'.repeat(1_048_576);
    const fill = async ({ peer, jwt }: typeof m1) => {
      const ids = Array.from({ length: 150 }, () => ulid());
      for (const id of ids) {
        await until(() => peer.connection.queuedBytes < 8_388_608, 'the socket');
        peer.say(requestFor('team1/open', { jwt, id, timeout_ms: year }), payload);
      }
      await until(() => ids.every((id) => peer.heard.some((each) => 'id' in each && each.id === id)), 'all answers');
      return ids.filter((id) => peer.of('refused').every((each) => each.id !== id)).length;
    };
    const held = (await fill(mallory)) + (await fill(m1));
    expect(held).toBeLessThanOrEqual(129);
    expect(m1.peer.of('refused')[0]).toMatchObject({
      code: 'broker-busy',
      message: expect.stringContaining('come from'),
    });
    // Others have room.
    const bob = await as('bob', 'team1');
    const bobs = requestFor('team1/open', { jwt: bob.jwt });
    bob.peer.say(bobs, payload);
    await bob.peer.hears('accepted');

    type Live = { id: string; user: string; bytes: number; expires_at: string; received_at: string };
    const all = await broker.json<Live[]>('request', 'list', '--json');
    expect(all).toHaveLength(held + 1);
    const [oldest] = all;
    const left = Date.parse(oldest?.expires_at ?? '') - Date.parse(oldest?.received_at ?? '');
    expect(left).toBeLessThanOrEqual(86_400_000 + 60_000);
    expect(
      (await broker.trigger('request', 'list', '--user', 'mallory', '--limit', '2')).stdout.split('\n'),
    ).toHaveLength(3);
    // A member sees and ends nobody else's.
    expect(await bob.rows({ verb: 'request.list', team: 'team1' })).toMatchObject([{ id: bobs.id }]);
    expect(await bob.ask({ verb: 'request.cancel', team: 'team1', user: 'mallory' })).toMatchObject({
      code: 'request-not-found',
    });
    // An admin does, on the console.
    const one = all.find(({ user }) => user === 'mallory')?.id ?? '';
    const { stdout: shown, exitCode } = await triggerAs('hp', `delete requests ${one}`, 'show requests user mallory');
    expect(exitCode).toBe(0);
    const [ended, rest] = shown.split('\n').map((line) => JSON.parse(line) as { id: string }[]);
    expect(ended?.map(({ id }) => id)).toEqual([one]);
    expect(rest?.map(({ id }) => id)).not.toContain(one);
    expect(rest?.length).toBeGreaterThan(0);
    await until(() => mallory.peer.of('final').find(({ id }) => id === one), 'the end of the request');
    // Root does everything, by whose they are.
    expect((await broker.trigger('request', 'cancel', '--user', 'mallory')).exitCode).toBe(0);
    expect((await broker.trigger('request', 'cancel', bobs.id)).stdout).toBe(bobs.id);
    expect(await bob.peer.hears('final')).toMatchObject({ reason: expect.stringMatching(/^cancelled by .+@broker1$/) });
    expect(await broker.trigger('request', 'cancel', bobs.id)).toMatchObject({ exitCode: 1 });
    expect(await broker.trigger('request', 'cancel')).toMatchObject({ exitCode: 2 });
    await broker.trigger('request', 'cancel', '--user', 'm1');
    expect(await broker.json('request', 'list', '--json')).toEqual([]);
    await deaf.close();
  });

  it('a token has exactly one valid spelling', async () => {
    const { peer, jwt } = await as('bob', 'team1');
    for (const spelling of [`${jwt}==`, `${jwt}=`, `${jwt}\n`, jwt.replace('.', '=.')]) {
      const n = ++nonce;
      peer.say({ op: 'registry', jwt: spelling, n, statement: { verb: 'team.list' } });
      expect(await answerTo(peer, n)).toMatchObject({ code: 'token-invalid' });
    }
  });

  it('ten thousand refused workers make the broker forget no failed login, and write few log lines', async () => {
    for (let tries = 0; tries < 4; tries++) await login(await connect(), 'team1', 'bob', 'a wrong guess');
    const slowed = { code: 'too-many-attempts' };
    expect(await login(await connect(), 'team1', 'bob')).toMatchObject(slowed);
    const before = broker.log().length;
    const [address] = site.brokers;
    if (address === undefined) throw new Error('no broker');
    const strangers = await Promise.all(
      Array.from({ length: 50 }, () => new Peer({ id: 'broker1', ...address }, encodeFromWorker, decodeToWorker).up()),
    );
    for (const stranger of strangers as TestWorker[])
      for (let count = 0; count < 210; count++) sayReady(stranger, { identity: `w${count}`, token: 'wrong' });
    for (const stranger of strangers as TestWorker[])
      await until(() => stranger.of('refused').some(({ code }) => code === 'too-many-attempts'), 'the refusals');
    expect(broker.log().length - before).toBeLessThan(60);
    // Whoever was forgotten would have three guesses; this one has one, when its wait has ended.
    const [one, other] = [await connect(), await connect()];
    await until(async () => (await login(one, 'team1', 'bob', 'a guess')).code === 'login-failed', 'the next guess');
    expect(await login(other, 'team1', 'bob')).toMatchObject(slowed);
    for (const stranger of strangers) await stranger.close();
  });
});
