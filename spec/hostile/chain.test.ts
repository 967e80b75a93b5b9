import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ulid } from 'ulid';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { sealProof } from '../../src/adapters/crypto/proofs.ts';
import type { FromJob } from '../../src/bus/messages.ts';
import { Client, type RequestOptions, type Statement } from '../../src/client/client.ts';
import { startTestBroker } from '../support/bus.ts';
import { temporaryFolder } from '../support/journal.ts';
import { root } from '../support/node.ts';
import { client as connectPeer, type TestClient, type TestWorker, worker as workerPeer } from '../support/peers.ts';
import { writePlugin } from '../support/requests.ts';
import { password, type ServicesSite, type SiteBroker, startSite } from '../support/services-site.ts';
import { until } from '../support/wait.ts';
import { lastingWorker, type WorkerProcess } from '../support/worker-process.ts';

const secretOf = (identity: string): string => (identity === 'hp' ? password : `correct horse ${identity}`);

/** Lets the worker's machine ask as this user of team1, and start these plugins only. */
const asMachineOf = ({ configFile }: WorkerProcess, identity: string, allow: readonly string[]): void => {
  const text = readFileSync(configFile, 'utf8')
    .replace('[main]\n', `[main]\nteam = "team1"\nidentity = "${identity}"\nsecret = "${secretOf(identity)}"\n`)
    .replace('[workers]\n', `[workers]\nallow = ${JSON.stringify(allow)}\n`);
  writeFileSync(configFile, text);
};

/**
 * Of team1: `bot`, as whom the machine with the chain plugin asks, and who owns `vault`; `eve`, a member who may not see
 * `vault`. Of team2: `mallory`. Who may be asked: `front` (the chain plugin) and `open` by everybody, `shared` by team1.
 */
describe('a member of a team and the plugin chain of a machine that may do more', () => {
  let site: ServicesSite;
  let one: SiteBroker;
  let two: SiteBroker;
  let machine: WorkerProcess;
  let back: WorkerProcess;
  const folder = mkdtempSync(join(tmpdir(), 'triggerd-chain-'));
  let plugins: string;
  let thiefToken: string;
  let spyToken: string;
  const clients = new Map<string, Client>();
  const open: { close(): Promise<void> }[] = [];

  const as = async (identity: string, team = 'team1', broker = one): Promise<Client> => {
    const key = `${identity}@${team} ${broker.endpoint}`;
    const known = clients.get(key);
    if (known !== undefined) return known;
    const client = await Client.connect({ brokers: [broker], team, identity, secret: secretOf(identity) });
    clients.set(key, client);
    open.push(client);
    return client;
  };
  const say = async (identity: string, statement: Statement): Promise<Record<string, unknown>> => {
    const { rows } = await (await as(identity)).registry(statement);
    return (rows?.[0] ?? {}) as Record<string, unknown>;
  };
  const addWorker = async (owner: string, identity: string, services: readonly string[]): Promise<string> => {
    const { token } = await say(owner, { verb: 'worker.add', team: 'team1', identity });
    for (const name of services) await say(owner, { verb: 'service.attach', team: 'team1', name, worker: identity });
    return String(token);
  };

  /** Everything that it prints, and how it ends. */
  const ask = async (client: Client, options: RequestOptions) => {
    const asked = client.request(options);
    const lines: string[] = [];
    for await (const { line } of asked.lines) lines.push(line);
    return { ...(await asked.result), id: asked.id, text: lines.join('\n') };
  };
  const chainTo = (client: Client, service: string, payload = 'echo done', front = 'front') =>
    ask(client, { service: front, plugin: 'chain', args: { service, timeout: '60s' }, payload });

  beforeAll(async () => {
    site = await startSite({ brokers: 2 });
    [one, two] = site.brokers as [SiteBroker, SiteBroker];
    for (const identity of ['bot', 'eve'])
      await say('hp', { verb: 'user.add', team: 'team1', identity, secret: secretOf(identity) });
    await say('hp', { verb: 'team.add', name: 'team2' });
    const ofTeam2 = await as('hp', 'team2');
    await ofTeam2.registry({ verb: 'user.add', team: 'team2', identity: 'mallory', secret: secretOf('mallory') });
    for (const [name, visibility] of [
      ['front', 'public'],
      ['fixed', 'public'],
      ['open', 'public'],
      ['shared', 'team'],
      ['vault', 'local'],
      ['lure', 'public'],
    ] as const)
      await say('bot', { verb: 'service.add', team: 'team1', name, visibility });
    plugins = join(folder, 'plugins');
    execFileSync('cp', ['-r', join(root, 'plugins'), plugins]);
    mkdirSync(join(folder, 'bin'));
    writeFileSync(join(folder, 'bin/trigger'), `#!/bin/sh\nexec ${join(root, 'bin/trigger')} "$@"\n`, { mode: 0o755 });
    const script = readFileSync(join(plugins, 'chain/chain'), 'utf8');
    const fixed = '[args.service]\nsummary = "x"\nfixed = "vault"\n[args.plugin]\nsummary = "x"\nfixed = "command"\n';
    writePlugin(folder, 'onward', script, `acts_as = "machine"\n${fixed}`);
    writePlugin(folder, 'loose', script, `acts_as = "machine"\n${fixed.replaceAll('fixed =', 'default =')}`);
    const machineToken = await addWorker('bot', 'demo01', ['front', 'fixed']);
    machine = lastingWorker([one], { identity: 'demo01', token: machineToken, plugins });
    asMachineOf(machine, 'bot', ['chain', 'onward', 'loose']);
    await machine.start();
    back = lastingWorker([one], {
      identity: 'back',
      token: await addWorker('bot', 'back', ['open', 'shared', 'vault']),
    });
    await back.start();
    thiefToken = await addWorker('bot', 'thief', ['lure']);
    spyToken = await addWorker('bot', 'spy', []);
    await machine.says('Found service front');
    await back.says('Found service vault');
  });
  afterAll(async () => {
    for (const each of open) await each.close();
    await machine?.remove();
    await back?.remove();
    await site?.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  /** How many jobs the worker behind `vault` has had. */
  const jobsOfBack = (): number => {
    const folder = join(back.folder, 'state/triggerd/team1.back/jobs');
    return existsSync(folder) ? readdirSync(folder).length : 0;
  };

  it('a member cannot reach a private service through chain as the user of the machine', async () => {
    const before = jobsOfBack();
    const attack = await chainTo(await as('eve'), 'vault', 'id');
    expect(attack).toMatchObject({ result: 'failed', exitCode: 1 });
    expect(attack.text).toContain('there is no service “vault”');
    expect(attack.text).not.toContain('uid=');
    expect(jobsOfBack()).toBe(before);
    const owner = await ask(await as('bot'), { service: 'vault', plugin: 'command', payload: 'echo mine' });
    expect(owner.text).toBe('mine');
    expect(jobsOfBack()).toBe(before + 1);
  });

  it('a member of another team reaches only public services through chain', async () => {
    const mallory = await as('mallory', 'team2');
    const attack = await chainTo(mallory, 'shared', 'id', 'team1/front');
    expect(attack).toMatchObject({ exitCode: 1 });
    expect(attack.text).toContain('there is no service “shared”');
    expect(await chainTo(mallory, 'open', 'echo done', 'team1/front')).toMatchObject({ exitCode: 0 });
  });

  it('chain reaches what both users may reach; the output is live, the exit code is the plugin’s, and the first user is recorded', async () => {
    const gate = join(temporaryFolder(), 'gate');
    const eve = await as('eve');
    const script = `echo "first of $TRIGGERD_USER"; while [ ! -e '${gate}' ]; do sleep 0.05; done; cat "$TRIGGERD_CONTEXT"; exit 4`;
    const args = { service: 'shared', timeout: '60s' };
    const asked = eve.request({ service: 'front', plugin: 'chain', args, payload: script });
    const lines: string[] = [];
    for await (const { line } of asked.lines) {
      lines.push(line);
      if (line.includes('first of bot@team1')) writeFileSync(gate, '');
    }
    expect(await asked.result).toMatchObject({ exitCode: 4 });
    const document = lines.find((line) => line.includes('{"format":1')) ?? '';
    const context = JSON.parse(document.slice(document.indexOf('{')));
    expect(context.request).toMatchObject({
      user: 'bot@team1',
      behalf: ['eve@team1'],
      chain: [asked.id, context.request.id],
    });
    expect(context.ttl).toBe(6);
    const recorded = await until(async () => {
      const { rows } = await eve.registry({ verb: 'history.list', team: 'team1', request: context.request.id });
      return rows?.[0];
    }, 'the record of the second request');
    expect(recorded).toMatchObject({ user: 'eve', team: 'team1', through: ['bot@team1'], service: 'shared' });
  });

  it('the proof of the user is in no output, log, journal or command line, and its file ends with the job', async () => {
    const eve = await as('eve');
    const gate = join(temporaryFolder(), 'gate');
    const wait = `while [ ! -e '${gate}' ]; do sleep 0.05; done`;
    const asked = eve.request({
      service: 'front',
      plugin: 'chain',
      args: { service: 'shared' },
      payload: `echo on; ${wait}`,
    });
    let files: string[] = [];
    for await (const { line } of asked.lines)
      if (line.endsWith('on')) {
        files = find(machine.folder, 'proof');
        const [file = ''] = files;
        expect(statSync(file).mode & 0o777).toBe(0o600);
        const proof = readFileSync(file, 'utf8');
        const [version, , signature = ''] = proof.split('.');
        expect(version).toBe('p1');
        const seen = [machine, back].flatMap(({ folder }) => grep(folder, signature)).filter((name) => name !== file);
        const commandLines = execFileSync('ps', ['axeww'], { encoding: 'utf8', maxBuffer: 1e8 });
        writeFileSync(gate, '');
        expect(seen).toEqual([]);
        expect(commandLines).not.toContain(signature);
      }
    expect(await asked.result).toMatchObject({ exitCode: 0 });
    expect(files).toHaveLength(1);
    expect(existsSync(files[0] ?? '')).toBe(false);
  });

  it('chain writes into no trigger file for a request unless plugin.toml has fixed it', async () => {
    const args = { path: '/etc/hostname' };
    const attack = await ask(await as('eve'), { service: 'front', plugin: 'chain', args, payload: 'x' });
    expect(attack).toMatchObject({ exitCode: 1 });
    expect(attack.text).toContain('into a trigger file that is fixed');
  });

  it('a copy of chain with a fixed target lends the machine’s rights for that target, and no argument leads elsewhere', async () => {
    const eve = await as('eve');
    const lent = await ask(eve, { service: 'fixed', plugin: 'onward', payload: 'echo "as $TRIGGERD_USER"' });
    expect(lent.text).toContain('as bot@team1');
    const elsewhere = ask(eve, { service: 'fixed', plugin: 'onward', args: { service: 'shared' } });
    await expect(elsewhere).rejects.toMatchObject({ code: 'plugin-arguments' });
    const loose = await ask(eve, { service: 'fixed', plugin: 'loose', args: { service: 'vault' }, payload: 'id' });
    expect(loose).toMatchObject({ exitCode: 1 });
    expect(loose.text).toContain('fixed for service and plugin');
  });

  // ── a proof in the hands of others ────────────────────────────────────────────────────────────────────────────────

  const jwtOf = async (peer: TestClient, identity: string): Promise<string> => {
    peer.say({ op: 'login', n: 1, team: 'team1', identity }, secretOf(identity));
    return (await peer.hears('token')).body;
  };
  const addressOf = ({ endpoint, key }: SiteBroker) => ({ id: 'x', endpoint, key });
  const rogue = async (broker: SiteBroker, identity = 'thief', token = thiefToken): Promise<TestWorker> => {
    const peer = await workerPeer(addressOf(broker), { identity, token, free: 64 });
    onTestFinished(() => peer.close());
    peer.say({ op: 'announce', services: [identity, 'lure'], no_proof: [] });
    return peer;
  };
  /** A request of eve's that the worker `thief` has been given, with its proof, and does not end. */
  const lured = async (thief: TestWorker): Promise<{ id: string; proof: string }> => {
    const asked = (await as('eve')).request({ service: 'lure', plugin: 'echo', output: 'discard' });
    const { id, proof = '' } = await until(() => thief.of('request').find((each) => each.id === asked.id), 'the lure');
    onTestFinished(() => end(thief, id));
    return { id, proof };
  };
  /** Asks as bot, with this proof; what the broker says: the code of a refusal, or that it took it. */
  const present = (broker: SiteBroker, proof: string, from: string, service?: string): Promise<string> =>
    askFrom(broker, from, { proof }, service);
  const askFrom = async (broker: SiteBroker, from: string, fromJob: FromJob, service = 'shared'): Promise<string> => {
    const peer = await connectPeer(addressOf(broker));
    onTestFinished(() => peer.close());
    const jwt = await jwtOf(peer, 'bot');
    const id = ulid();
    peer.say({
      ...{ op: 'request', jwt, id, service, plugin: 'echo', args: { text: 'x' }, timeout_ms: 60_000 },
      ...{ resume: false, worker: null, chain: [from], ttl: 7, ...fromJob },
    });
    const said = await until(
      () => peer.heard.find((each) => 'id' in each && each.id === id && each.op !== 'partial'),
      'an answer to the request',
    );
    return said.op === 'refused' ? said.code : 'taken';
  };
  const end = (thief: TestWorker, id: string): void =>
    thief.say({
      ...{ op: 'final', id, job: 1, free: 4, seen: 1_000, result: 'succeeded', exit_code: 0, signal: null },
      ...{ reason: null, code: null, ran_ms: 1, output_bytes: 0 },
    });

  it('the broker accepts a proof from its worker while the request runs, and from nobody afterwards', async () => {
    const thief = await rogue(one);
    const { id, proof } = await lured(thief);
    const sealed = sealProof(proof, thiefToken);
    expect(await present(one, sealed, id)).toBe('taken');
    expect(await present(one, sealed, id, 'vault')).toBe('service-not-found');
    end(thief, id);
    await until(async () => (await present(one, sealed, id)) === 'proof-invalid', 'the end of the proof');
  });

  it('the broker refuses a proof from another worker, without a seal, altered, or for another request', async () => {
    const thief = await rogue(one);
    const { id, proof } = await lured(thief);
    const sealed = sealProof(proof, thiefToken);
    const [version = '', claims = '', signature = '', seal = ''] = sealed.split('.');
    const said = JSON.parse(Buffer.from(claims, 'base64url').toString());
    const forged = (changes: object): string =>
      sealProof(
        [version, Buffer.from(JSON.stringify({ ...said, ...changes })).toString('base64url'), signature].join('.'),
        thiefToken,
      );
    const attempts = {
      'of another worker': sealProof(proof, spyToken),
      'without a seal': proof,
      'of another user': forged({ ask: [['hp', 'team1', 1, 1, 1]] }),
      'with more time': forged({ exp: said.exp + 86_400_000 }),
      'without a signature': `${version}.${claims}..${seal}`,
      'with padding': `${version}.${claims}.${signature}==.${seal}`,
      nothing: '',
    };
    for (const [what, attempt] of Object.entries(attempts))
      expect([what, await present(one, attempt, id)]).toEqual([what, 'proof-invalid']);
    expect(await present(one, sealed, ulid())).toBe('proof-invalid');
    expect(await present(one, sealed, id)).toBe('taken');
  });

  it('a proof does not work as a token, nor a token as a proof', async () => {
    const thief = await rogue(one);
    const { id, proof } = await lured(thief);
    const peer = await connectPeer(addressOf(one));
    onTestFinished(() => peer.close());
    for (const [n, jwt] of [proof, sealProof(proof, thiefToken)].entries()) {
      peer.say({ op: 'registry', jwt, n, statement: { verb: 'team.list' } });
      expect(await peer.hears('refused', n + 1)).toMatchObject({ code: 'token-invalid', n });
    }
    const jwt = await jwtOf(peer, 'bot');
    expect(await present(one, jwt, id)).toBe('proof-invalid');
    expect(await present(one, sealProof(jwt, thiefToken), id)).toBe('proof-invalid');
  });

  it('another broker accepts a proof, too, until it expires or the worker’s token is replaced', async () => {
    const thief = await rogue(one);
    const { id, proof } = await lured(thief);
    const sealed = sealProof(proof, thiefToken);
    expect(await present(two, sealed, id)).toBe('taken');
    expect(await present(two, sealed, id, 'vault')).toBe('service-not-found');
    const { token } = await say('bot', { verb: 'worker.rotate', team: 'team1', identity: 'thief' });
    thiefToken = String(token);
    await until(async () => (await present(two, sealed, id)) === 'proof-invalid', 'the new token at the other broker');
  });

  it('a proof of a user who was disabled meanwhile is refused', async () => {
    const thief = await rogue(one);
    const { id, proof } = await lured(thief);
    await say('hp', { verb: 'user.revoke', team: 'team1', identity: 'eve' });
    await until(
      async () => (await present(one, sealProof(proof, thiefToken), id)) === 'proof-invalid',
      'the revocation',
    );
  });

  it('every user in a chain needs the right: a worker between gains nothing by the proof of another user', async () => {
    const thief = await rogue(one);
    // hp may ask for everything in team1; mallory, who holds the request of hp, may not.
    const asked = (await as('hp')).request({ service: 'lure', plugin: 'echo', output: 'discard' });
    const first = await until(() => thief.of('request').find(({ id }) => id === asked.id), 'the lure');
    const mallory = await as('mallory', 'team2');
    const second = mallory.request({
      ...{ service: 'team1/lure', plugin: 'echo', output: 'discard', chain: [first.id], ttl: 7 },
      proof: sealProof(first.proof ?? '', thiefToken),
    });
    const {
      proof = '',
      behalf,
      user,
    } = await until(() => thief.of('request').find(({ id }) => id === second.id), 'the second request');
    expect([user, behalf]).toEqual(['mallory', ['hp@team1']]);
    expect(await present(one, sealProof(proof, thiefToken), second.id, 'vault')).toBe('service-not-found');
    expect(await present(one, sealProof(proof, thiefToken), second.id, 'open')).toBe('taken');
  });

  it('a chain of proofs ends after eight hops, whatever the chain says of itself', async () => {
    const thief = await rogue(one);
    let { id, proof } = await lured(thief);
    const bot = await as('bot');
    const hop = async (): Promise<string> => {
      const options = { service: 'lure', plugin: 'echo', output: 'discard', chain: [id], ttl: 8 } as const;
      const asked = bot.request({ ...options, proof: sealProof(proof, thiefToken) });
      const seen = () => thief.of('request').find((each) => each.id === asked.id);
      const isRefused = asked.accepted.then(
        () => undefined,
        (error: Error) => error.message,
      );
      const refusal = await Promise.race([isRefused, until(seen, 'the next hop').then(() => undefined)]);
      if (refusal !== undefined) return refusal;
      const next = await until(seen, 'the next hop');
      [id, proof] = [next.id, next.proof ?? ''];
      return 'taken';
    };
    const hops: string[] = [];
    for (let count = 0; count < 9; count++) hops.push(await hop());
    expect(hops.slice(0, 8)).toEqual(Array.from({ length: 8 }, () => 'taken'));
    expect(hops[8]).toContain('hop limit reached');
  });

  // ── peers of an earlier version ───────────────────────────────────────────────────────────────────────────────────

  it('a worker of an earlier version gets no proof, and is refused what its sender may not request', async () => {
    const old = await workerPeer(addressOf(one), { identity: 'thief', token: thiefToken });
    onTestFinished(() => old.close());
    old.say({ op: 'announce', services: ['thief', 'lure'] });
    const { id, proof } = await lured(old);
    expect(proof).toBe('');
    expect(await askFrom(one, id, {}, 'vault')).toBe('service-not-found');
    expect(await askFrom(one, id, {}, 'shared')).toBe('taken');
    // That the machine asks for itself only a worker of today says, where plugin.toml does.
    expect(await askFrom(one, id, { own: true }, 'vault')).toBe('taken');
  });
});

const find = (folder: string, name: string): string[] =>
  execFileSync('find', [folder, '-name', name], { encoding: 'utf8' }).split('\n').filter(Boolean);

const grep = (folder: string, text: string): string[] => {
  try {
    return execFileSync('grep', ['-rlaF', text, folder], { encoding: 'utf8' }).split('\n').filter(Boolean);
  } catch {
    return [];
  }
};

it('chain refuses at a broker of an earlier version, which makes no proof; a client shows such a broker none', async () => {
  const at = await startTestBroker({});
  onTestFinished(() => at.broker.stop());
  at.registry.worker('team1', 'demo01').service('team1', 'vault', ['demo01']);
  const worker = lastingWorker([at.address], {});
  onTestFinished(() => worker.remove());
  asMachineOf(worker, 'bot', ['chain']);
  writeFileSync(worker.configFile, readFileSync(worker.configFile, 'utf8').replace(secretOf('bot'), 'secret'));
  await worker.start();
  await worker.says('Found service vault');
  const client = await Client.connect({ brokers: [at.address], jwt: 'jwt:eve@team1' });
  onTestFinished(() => client.close());
  const asked = client.request({ service: 'demo01', plugin: 'chain', args: { service: 'vault' }, payload: 'id' });
  const lines: string[] = [];
  for await (const { line } of asked.lines) lines.push(line);
  expect(await asked.result).toMatchObject({ exitCode: 1 });
  expect(lines.join('\n')).toContain('there is no proof of this job’s user');
  const received = at.observer.lines.length;
  const shown = client.request({ service: 'vault', plugin: 'command', proof: 'p1.x.y.z' });
  await expect(shown.result).rejects.toMatchObject({ code: 'proof-unsupported' });
  expect(at.observer.lines).toHaveLength(received);
});
