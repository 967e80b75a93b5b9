import { afterEach, describe, expect, it, vi } from 'vitest';
import { TriggerdError } from '../../../../src/domain/errors.ts';
import type { WholeFiring } from '../../../../src/domain/firing.ts';
import type { SpooledKeyspace } from '../../../../src/firings/ports.ts';
import { SpoolDrain } from '../../../../src/firings/publish/spool-drain.ts';
import { serializeFiring } from '../../../../src/firings/wire/firing.ts';
import { keysBelow } from '../../../../src/store/keys.ts';
import { firing } from '../../../support/firings.ts';
import { MemoryStore } from '../../../support/memory-store.ts';
import { recordingLog } from '../../../support/recording-log.ts';
import { until } from '../../../support/wait.ts';
import { MemorySpool } from './memory-spool.ts';

const keys = keysBelow('/trigger');
const away = new TriggerdError('etcd-unreachable', 'connection refused');
const names = (count: number) => Array.from({ length: count }, (_, index) => `node${index}`);

describe('SpoolDrain', () => {
  const drains: SpoolDrain[] = [];
  afterEach(async () => {
    vi.useRealTimers();
    for (const drain of drains.splice(0)) await drain.stop();
  });

  const build = (store = new MemoryStore(), spool = new MemorySpool()) => {
    const log = recordingLog();
    const isOurs = ({ prefix }: SpooledKeyspace) => prefix === '/trigger';
    const told: string[] = [];
    const drain = new SpoolDrain({
      store,
      keys,
      spool,
      isOurs,
      clock: { now: () => 5_000 },
      log,
      onStored: ({ id }) => told.push(`stored ${id}`),
      onPublished: ({ id }) => told.push(`published ${id}`),
    });
    drains.push(drain);
    return { drain, store, spool, log, told };
  };
  const spooled = (spool: MemorySpool, fields: Partial<WholeFiring> = {}): WholeFiring => {
    const some = firing(fields);
    spool.put(`${some.id}.json`, { text: serializeFiring(some), keyspace: null });
    return some;
  };
  const published = async (store: MemoryStore) => (await store.list(keys.firings)).entries;
  const emptied = (spool: MemorySpool) => until(() => spool.files.size === 0, 'an empty spool');

  it('the spool’s drain publishes what it finds at its start, the oldest first, byte for byte', async () => {
    const { drain, store, spool } = build();
    const first = firing();
    // Other bytes than ours would be: the Ruby provider's document.
    const text = JSON.stringify({ ...JSON.parse(serializeFiring(first)), extra: 'ü' }, null, 1);
    spool.put(`${first.id}.json`, { text, keyspace: null });
    const second = spooled(spool, { targets: names(300) });
    const third = spooled(spool);
    drain.start();
    await emptied(spool);
    const entries = [...(await published(store))].sort((a, b) => Number(a.createRevision - b.createRevision));
    expect(entries.map(({ key }) => key)).toEqual([first, second, third].map(({ id }) => keys.firing(id)));
    const wholes = await Promise.all([keys.firing(first.id), keys.targets(second.id)].map((key) => store.get(key)));
    expect(wholes.map((entry) => entry?.value)).toEqual([text, serializeFiring(second)]);
    expect((await store.list('/trigger/v1/inbox/')).entries).toHaveLength(302);
    expect(drain.state).toEqual({ waiting: 0, oldestAt: null });
  });

  it('the spool’s drain reports what is published, and once what has to wait', async () => {
    const { drain, store, spool, told } = build();
    const [puppets, puppetsToo] = [spooled(spool), firing()];
    drain.start();
    await emptied(spool);
    store.fail(away);
    spool.put(`${puppetsToo.id}.json`, { text: serializeFiring(puppetsToo), keyspace: null });
    const ours = firing();
    await drain.store(serializeFiring(ours));
    const tries = spool.lists;
    await until(() => spool.lists >= tries + 2, 'some tries');
    store.outage = undefined;
    await emptied(spool);
    expect(told[0]).toBe(`published ${puppets.id}`);
    const rest = [puppetsToo, ours].flatMap(({ id }) => [`published ${id}`, `stored ${id}`]);
    expect(told.slice(1).sort()).toEqual(rest.sort());
  });

  it('the spool’s drain publishes firings that arrive later', async () => {
    const { drain, store, spool } = build();
    drain.start();
    await until(() => spool.lists === 1, 'the first look');
    const { id } = spooled(spool);
    await emptied(spool);
    expect(await store.get(keys.firing(id))).toBeDefined();
  });

  it('the spool’s drain does not look while the spool is empty', async () => {
    vi.useFakeTimers();
    const { drain, spool } = build();
    drain.start();
    await vi.advanceTimersByTimeAsync(24 * 3_600_000);
    expect(spool.lists).toBe(1);
  });

  it('the spool’s drain keeps everything while etcd is away, says so once, and delivers each firing once', async () => {
    const { drain, store, spool, log } = build();
    const firings = [spooled(spool), spooled(spool)];
    store.fail(away);
    drain.start();
    await until(() => spool.lists >= 3, 'some tries');
    expect(spool.files.size).toBe(2);
    expect(drain.state).toEqual({ waiting: 2, oldestAt: 0 });
    store.outage = undefined;
    await emptied(spool);
    expect((await published(store)).map(({ key }) => key)).toEqual(firings.map(({ id }) => keys.firing(id)));
    await until(() => log.lines.some(({ message }) => /published again/.test(message)), 'the end of the outage');
    expect(log.at('warn').map(({ message }) => message)).toEqual([
      'Cannot publish firings in the spool; retrying, and they are kept',
    ]);
  });

  it('the spool’s drain lengthens its pauses: a minute without etcd costs few attempts', async () => {
    vi.useFakeTimers();
    const { drain, store, spool } = build();
    spooled(spool);
    store.fail(away);
    drain.start();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(spool.lists).toBeGreaterThan(5);
    expect(spool.lists).toBeLessThan(20);
  });

  it('the spool’s drain recognizes a firing that etcd has already: its answer was lost, or a Puppet run was faster', async () => {
    const { drain, store, spool, log } = build();
    const known = spooled(spool, { targets: names(200) });
    const [file] = spool.files.values();
    await drain.publish(file?.text ?? '');
    const { revision } = await store.list('/');
    spool.put(`${known.id}.json`, { text: serializeFiring(known), keyspace: null });
    drain.start();
    await emptied(spool);
    expect((await store.list('/')).revision).toBe(revision);
    expect(log.at('warn')).toEqual([]);
  });

  it('two drains of the same spool deliver each firing once', async () => {
    const one = build();
    const other = build(one.store, one.spool);
    const firings = Array.from({ length: 20 }, (_, index) => spooled(one.spool, { targets: names(index * 12 + 1) }));
    let commits = 0;
    one.store.beforeCommit = ({ write }) => {
      if (write.some((each) => 'put' in each && each.put.startsWith(keys.firings))) commits += 1;
    };
    one.drain.start();
    other.drain.start();
    await emptied(one.spool);
    const entries = await published(one.store);
    expect(entries.map(({ key }) => key)).toEqual(firings.map(({ id }) => keys.firing(id)));
    expect(entries.every(({ createRevision, modRevision }) => createRevision === modRevision)).toBe(true);
    expect(commits, 'both were at it').toBeGreaterThan(20);
  });

  it('the spool’s drain does not let a firing that etcd refuses delay the others', async () => {
    const { drain, store, spool } = build();
    const refused = spooled(spool, { targets: ['forbidden'] });
    const other = spooled(spool);
    store.beforeCommit = ({ write }) => {
      if (write.some((each) => 'put' in each && each.put.includes('/inbox/forbidden/')))
        throw new TriggerdError('etcd-refused', 'permission denied');
    };
    drain.start();
    await until(() => store.get(keys.firing(other.id)), 'the other firing');
    expect([...spool.files.keys()]).toEqual([`${refused.id}.json`]);
    store.beforeCommit = undefined;
    await emptied(spool);
  });

  it.each([
    ['no JSON', '01K9ZQ4T5M8W3V6X7Y8Z9A0BCD.json', '{', /not JSON/],
    ['another id', '01K9ZQ4T5M8W3V6X7Y8Z9A0BCD.json', serializeFiring(firing()), /is not the ID of its firing/],
    ['a name that is no id', '..garbage.json', serializeFiring(firing()), /is not the ID of its firing/],
    ['a newer format', '01K9ZQ4T5M8W3V6X7Y8Z9A0BCD.json', '{"format":2}', /format 2 is not known/],
  ])(
    'the spool’s drain sets aside a file with %s, with the reason, and continues',
    async (_what, name, text, reason) => {
      const { drain, store, spool, log } = build();
      spool.put(name, { text, keyspace: null });
      const good = spooled(spool);
      drain.start();
      await emptied(spool);
      expect(spool.rejected.get(name)).toMatch(reason);
      expect(await store.get(keys.firing(good.id))).toBeDefined();
      expect(log.at('warn')).toHaveLength(1);
      expect(JSON.stringify(log.lines)).not.toContain('refresh load balancers');
    },
  );

  it('the spool’s drain sets aside a firing whose ID etcd has for another one', async () => {
    const { drain, store, spool } = build();
    const mine = spooled(spool);
    await store.commit({ compare: [], write: [{ put: keys.firing(mine.id), value: 'another' }] });
    drain.start();
    await emptied(spool);
    expect(spool.rejected.get(`${mine.id}.json`)).toMatch(/another firing/);
  });

  it('the spool’s drain leaves a firing for another etcd to Puppet, says so once, and publishes its own', async () => {
    const { drain, store, spool, log } = build();
    const [foreign, own] = [firing(), firing()];
    for (const [each, prefix] of [[foreign, '/else'] as const, [own, '/trigger'] as const])
      spool.put(`${each.id}.json`, { text: serializeFiring(each), keyspace: { endpoints: ['http://a:1'], prefix } });
    drain.start();
    await until(() => store.get(keys.firing(own.id)), 'our own');
    const { id } = spooled(spool);
    await until(() => store.get(keys.firing(id)), 'the next one');
    expect([...spool.files.keys()]).toEqual([`${foreign.id}.json`]);
    expect(log.at('warn')).toHaveLength(1);
    expect(drain.state.waiting).toBe(1);
  });

  it('the spool’s drain continues when the spool cannot be read for a while', async () => {
    const { drain, spool, log } = build();
    spooled(spool);
    spool.trouble = new TriggerdError('spool-unusable', 'the spool /s: EIO');
    drain.start();
    await until(() => spool.lists === 2, 'a second look');
    spool.trouble = undefined;
    await emptied(spool);
    expect(log.at('warn')).toHaveLength(1);
  });

  it('the spool’s drain does not let a file that can neither be read nor set aside delay the others', async () => {
    const { drain, store, spool } = build();
    const trouble = new TriggerdError('spool-unusable', 'the spool /s: EIO');
    spool.put('broken.json', { text: '{', keyspace: null });
    vi.spyOn(spool, 'reject').mockRejectedValue(trouble);
    const unreadable = spooled(spool);
    const read = spool.read.bind(spool);
    vi.spyOn(spool, 'read').mockImplementation(async (name) => {
      if (name.startsWith(unreadable.id)) throw trouble;
      return read(name);
    });
    const good = spooled(spool);
    drain.start();
    await until(() => store.get(keys.firing(good.id)), 'the good one');
    expect([...spool.files.keys()]).toEqual(['broken.json', `${unreadable.id}.json`]);
  });

  it('the spool’s drain stops at once in the middle of an outage, and leaves the firings in the spool', async () => {
    const { drain, store, spool } = build();
    spooled(spool);
    store.fail(away);
    drain.start();
    await until(() => spool.lists > 0 && drain.state.waiting === 1, 'a failed try');
    await drain.stop();
    expect(spool.files.size).toBe(1);
  });

  describe('given a firing', () => {
    it('a firing that is given to the spool’s drain is on disk before the answer, and published', async () => {
      const { drain, store, spool } = build();
      const some = firing();
      await expect(drain.store(serializeFiring(some))).resolves.toBe(some.id);
      expect(spool.files.has(`${some.id}.json`)).toBe(true);
      drain.start();
      await until(() => store.get(keys.firing(some.id)), 'the firing');
    });

    it('the spool’s drain refuses a firing that no reader would accept, and keeps nothing', async () => {
      const { drain, spool } = build();
      for (const take of [(text: string) => drain.store(text), (text: string) => drain.publish(text)])
        await expect(take('{"format":1}')).rejects.toMatchObject({ code: 'input-invalid' });
      expect(spool.files.size).toBe(0);
    });

    it('the spool’s drain can answer when etcd has the firing', async () => {
      const { drain, store, spool } = build();
      const some = firing();
      await drain.publish(serializeFiring(some));
      expect(await store.get(keys.firing(some.id))).toMatchObject({ value: serializeFiring(some) });
      expect(spool.files.size).toBe(0);
    });

    it('the spool’s drain says that a firing is stored when etcd does not take it, and publishes it later', async () => {
      const { drain, store, spool } = build();
      drain.start();
      store.fail(away);
      const some = firing();
      await expect(drain.publish(serializeFiring(some))).rejects.toMatchObject({
        code: 'etcd-unreachable',
        details: { stage: 'stored', firing: some.id },
      });
      store.outage = undefined;
      await emptied(spool);
      expect(await store.get(keys.firing(some.id))).toBeDefined();
    });
  });
});
