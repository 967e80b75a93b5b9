import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { EventsView } from '../../src/api/contract/events.ts';
import type { Event } from '../../src/events/event.ts';
import { call, postFiring } from '../support/api.ts';
import { startEtcd, type TestEtcd } from '../support/etcd.ts';
import { compact } from '../support/fleet.ts';
import { createNode, root, type TestNode } from '../support/node.ts';
import { until } from '../support/wait.ts';

/** A trigger that is fired only to see whether a follower hears it. */
const mark = 'is anybody listening?';

interface Follower {
  readonly events: Event[];
  kinds(): string[];
  /** Ctrl-C; gives the exit code. */
  interrupt(): Promise<number | null>;
}

describe('trigger events', () => {
  let etcd: TestEtcd;
  let web: TestNode;
  let lb: TestNode;
  const children: ChildProcess[] = [];

  beforeAll(async () => {
    etcd = await startEtcd();
    const watch = 'run_cmd = "true"\nallow = ["echo"]';
    [web, lb] = ['web01', 'lb01'].map((name) => createNode({ name, etcd: [etcd.endpoint], watch })) as [
      TestNode,
      TestNode,
    ];
    await Promise.all([web.start(), lb.start()]);
  });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });
  afterAll(async () => {
    await Promise.all([web?.remove(), lb?.remove()]);
    await etcd?.stop();
  });

  /** A real `trigger events --follow` into a pipe, once it follows. */
  const follow = async (node: TestNode, ...args: string[]): Promise<Follower> => {
    const mine = args.includes('--fleet') ? ['--trigger', mark] : [];
    const all = ['--config', node.configFile, 'events', '--follow', '-n', '0', ...mine, ...args];
    const child = spawn(join(root, 'bin/trigger'), all, { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    const events: Event[] = [];
    let follows = false;
    let rest = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const event of lines.map((line) => JSON.parse(line) as Event)) {
        const isMark = event['queue'] === 'requests' || event['trigger'] === mark;
        follows ||= isMark;
        if (follows && !isMark) events.push(event);
      }
    });
    // It follows when something that happens now comes through.
    const make = args.includes('--fleet')
      ? () => web.trigger('fire', mark, '--host', 'nobody')
      : () => node.trigger('queue', 'pause', '--queue', 'requests');
    await until(async () => {
      await make();
      return follows;
    }, 'the follower');
    return {
      events,
      kinds: () => events.map(({ kind }) => kind),
      interrupt: async () => {
        child.kill('SIGINT');
        const [code] = await once(child, 'exit');
        return code as number | null;
      },
    };
  };
  const fire = async (trigger: string, hosts = 'lb01') =>
    (await web.trigger('fire', trigger, '--host', hosts, '--plugin', 'echo', '--wait')).stdout.split('\n')[0];
  const past = async (node: TestNode, ...args: string[]): Promise<Event[]> =>
    (await node.trigger('events', ...args)).stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Event);
  const isEnd = (firing: string | undefined) => (event: Event) =>
    event.kind === 'outcome.finished' && event['firing'] === firing;

  it('trigger events shows on each node what happens there, from the firing to its outcome', async () => {
    const [here, there] = await Promise.all([follow(web), follow(lb)]);
    const firing = await fire('refresh load balancers');
    await until(() => there.events.some(isEnd(firing)), 'the outcome');
    const heard = there.events.filter(({ kind }) => /^(job|firing|outcome)\./.test(kind));
    // What etcd is told in between comes when etcd has it, or not at all: whoever publishes late skips what is past.
    const isBetween = (kind: string) => kind === 'outcome.queued' || kind === 'outcome.running';
    expect(heard.map(({ kind }) => kind).filter((kind) => !isBetween(kind))).toEqual([
      'job.queued',
      'firing.accepted',
      'job.started',
      'job.finished',
      'outcome.finished',
    ]);
    const finished = heard.find(({ kind }) => kind === 'job.finished');
    expect(finished).toMatchObject({ result: 'succeeded', exit_code: 0, triggers: ['refresh load balancers'] });
    expect(heard.every(({ node }) => node === 'lb01')).toBe(true);
    await until(() => here.events.some(({ kind }) => kind === 'firing.published'), 'the publication');
    expect(here.kinds()).not.toContain('job.started');
    expect(await Promise.all([here.interrupt(), there.interrupt()])).toEqual([130, 130]);
  });

  it('trigger events shows the whole fleet on any node, filtered by trigger, node, stage and kind', async () => {
    const cursor = (await past(lb, '--fleet')).length;
    expect(cursor).toBeGreaterThan(0);
    const wanted = await follow(lb, '--fleet', '--trigger', 'wanted');
    await fire('unwanted', 'lb01,web01');
    const firing = await fire('wanted', 'lb01,web01');
    await until(() => wanted.events.filter(isEnd(firing)).length === 2, 'both outcomes');
    expect(new Set(wanted.events.map(({ trigger }) => trigger))).toEqual(new Set(['wanted']));
    expect(wanted.kinds()[0]).toBe('firing.published');
    const chosen = await past(lb, '--fleet', '--trigger', 'wanted', '--node', 'web01', '--stage', 'finished');
    expect(chosen.map(({ node, kind, firing }) => [node, kind, firing])).toEqual([
      ['web01', 'outcome.finished', firing],
    ]);
    expect((await past(web, '--kind', 'job', '--stage', 'running')).map(({ kind }) => kind)).toEqual([
      'job.started',
      'job.started',
    ]);
    expect(await past(web, '--fleet', '--since', '1ms', '--trigger', 'unwanted')).toEqual([]);
    expect(await past(web, '--limit', '1')).toHaveLength(1);
  });

  it('trigger events continues through a killed daemon, in order and with no event twice', async () => {
    const here = await follow(lb);
    const fleet = await follow(
      lb,
      '--fleet',
      '-n',
      '0',
      '--trigger',
      'before',
      '--trigger',
      'after',
      '--trigger',
      'between',
    );
    const gate = join(lb.dir, 'gate');
    await lb.trigger(
      'queue',
      'add',
      '--',
      'sh',
      '-c',
      `until [ -e ${gate} ] || [ ! -d ${lb.dir} ]; do sleep 0.02; done`,
    );
    await until(() => here.kinds().includes('job.started'), 'the job to run');
    const before = await web.json<{ id: string }>('fire', 'before', '--host', 'lb01', '--plugin', 'echo');
    await until(() => fleet.events.some(({ firing }) => firing === before.id), 'the firing');
    await lb.crash();
    const between = await web.json<{ id: string }>('fire', 'between', '--host', 'lb01', '--plugin', 'echo');
    await lb.start();
    writeFileSync(gate, '');
    const after = await fire('after');
    for (const firing of [before.id, between.id, after])
      await until(() => here.events.some(isEnd(firing)) && fleet.events.some(isEnd(firing)), 'each outcome');
    for (const { events } of [here, fleet]) {
      const ids = events.map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
    }
    const kinds = here.kinds();
    expect(kinds.filter((kind) => kind === 'daemon.started')).toHaveLength(1);
    expect(kinds.filter((kind) => kind === 'job.started').length).toBeGreaterThanOrEqual(2);
    expect(here.events.map(({ id }) => Number(id))).toEqual(
      here.events.map(({ id }) => Number(id)).sort((a, b) => a - b),
    );
    for (const id of [before.id, between.id, after])
      expect(fleet.events.filter(({ kind, firing }) => kind === 'firing.published' && firing === id)).toHaveLength(1);
    expect(fleet.events.filter(isEnd(between.id))).toHaveLength(1);
  });

  it('trigger events shows past events from before a stop, and the stop itself', async () => {
    await lb.trigger('queue', 'resume', '--queue', 'requests');
    await lb.stop();
    await lb.start();
    const kinds = (await past(lb, '-n', '1000')).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind.startsWith('daemon')).slice(-2)).toEqual(['daemon.stopping', 'daemon.started']);
    expect(kinds).toContain('queue.resumed');
    lb.signal('SIGHUP');
    await until(async () => (await past(lb, '--kind', 'config')).length === 1, 'the configuration to be read');
  });

  it('trigger events says when etcd has forgotten the next events', async () => {
    const { cursor } = await call<EventsView>(lb.socket, 'GET', '/v1/events?fleet=1&limit=0');
    const firing = await fire('forgotten');
    const { cursor: now } = await call<EventsView>(lb.socket, 'GET', '/v1/events?fleet=1&limit=0');
    await compact(etcd, BigInt(now));
    const lines = await readLines(lb.socket, `/v1/events/follow?fleet=1&after=${cursor}`, (events) =>
      events.some(({ kind }) => kind === 'follow.gap'),
    );
    expect(lines.some(isEnd(firing))).toBe(true);
  });

  it('trigger events drops a reader who does not read, and says so in the last line', async () => {
    const stream = request({ socketPath: lb.socket, path: '/v1/events/follow?fleet=1&kind=outcome' }).end();
    const [response] = await once(stream, 'response');
    response.pause();
    // Nobody reads: the socket's buffers fill up, then the daemon's.
    const hosts = Array.from({ length: 8_000 }, (_, index) => `nobody${index}`);
    for (const trigger of ['many', 'very many']) {
      const { id } = await postFiring(lb.socket, { trigger, hosts });
      await call(lb.socket, 'POST', `/v1/firings/${id}/cancel`, { user: 'alice' });
    }
    await until(
      () => lb.log().some(({ msg }) => msg.startsWith('A reader of events was too slow')),
      'him to be dropped',
    );
    let text = '';
    for await (const chunk of response) text += chunk;
    const lines = text.trimEnd().split('\n');
    const last = JSON.parse(lines.at(-1) ?? '') as Event;
    expect(last).toMatchObject({ kind: 'follow.dropped', reason: expect.stringContaining('too slow') });
    expect(lines.length).toBeLessThan(16_000);
    // From there he could continue.
    const [next] = await readLines(lb.socket, `/v1/events/follow?fleet=1&kind=outcome&after=${last.id}`, () => true);
    expect(next?.id).not.toBe(lines.at(-2) && JSON.parse(lines.at(-2) ?? '').id);
    expect(next?.kind).toBe('outcome.skipped');
  });

  it('trigger events prints 80 columns and colours on a terminal, and JSON only on request', async () => {
    await fire('a trigger whose name is so long that it cannot stand in one line of a terminal with anything else');
    const onTerminal = async (args: string) => {
      const command = `stty cols 80; exec ${join(root, 'bin/trigger')} --config ${lb.configFile} events ${args}`;
      const env = { TERM: 'xterm', NO_COLOR: '', COLUMNS: undefined };
      return (await execa('script', ['-qec', command, '/dev/null'], { env, stdin: 'ignore' })).stdout.split(/\r?\n/);
    };
    const lines = await onTerminal('--fleet');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
    const bare = lines.map((line) => line.replace(/\u001b\[\d*m/g, ''));
    expect(bare.filter((line) => [...line].length > 80)).toEqual([]);
    expect(bare.some((line) => /^\d\d:\d\d:\d\d lb01 {13}outcome\.finished a trigger .*…$/.test(line))).toBe(true);
    expect(lines.join('')).toContain('\u001b[32moutcome.finished');
    expect(JSON.parse((await onTerminal('-n 1 --json'))[0] ?? '')).toMatchObject({ node: 'lb01' });
  });

  it('trigger events refuses unknown filters, and says that etcd is away', async () => {
    expect(await lb.trigger('events', '--kind', 'job.exploded')).toMatchObject({ exitCode: 2 });
    expect(await lb.trigger('events', '--limit', '10001')).toMatchObject({ exitCode: 2 });
    expect(await lb.trigger('events', '--stage', 'done')).toMatchObject({ exitCode: 2 });
    const unknown = call(lb.socket, 'GET', '/v1/events?stage=done');
    await expect(unknown).rejects.toThrow(/400.*input-invalid/);
    await etcd.kill();
    expect(await lb.trigger('events', '--fleet')).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('etcd'),
    });
    const ofEtcd = async () => (await past(lb, '--kind', 'etcd')).at(-1)?.kind;
    await until(async () => (await ofEtcd()) === 'etcd.lost', 'the outage');
    const job = await lb.job('1');
    expect(job.state).toBe('finished');
    await etcd.start();
    await until(async () => (await ofEtcd()) === 'etcd.back', 'its end');
  });
});

const readLines = (
  socketPath: string,
  path: string,
  isEnough: (events: readonly Event[]) => boolean,
): Promise<Event[]> =>
  new Promise((resolve, reject) => {
    const sent = request({ socketPath, path }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        const events = text
          .split('\n')
          .slice(0, -1)
          .map((line) => JSON.parse(line) as Event);
        if (!isEnough(events)) return;
        sent.destroy();
        resolve(events);
      });
      response.once('error', reject);
    });
    sent.once('error', reject);
    sent.end();
  });
