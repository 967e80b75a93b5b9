import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { stopLeftovers } from '../../../src/adapters/process/persistent-leftovers.ts';
import type { OutputOptions } from '../../../src/api/services/services.ts';
import { createOutputsService } from '../../../src/daemon/control/local-services.ts';
import { jobRequest } from '../../support/jobs.ts';
import { temporaryFolder } from '../../support/journal.ts';
import { listener, type RequestOptions, requestsIn, workerRequest, writePlugin } from '../../support/requests.ts';
import { until } from '../../support/wait.ts';

const script = readFileSync(join(import.meta.dirname, '../../fixtures/persistent/many.mjs'), 'utf8');
const manifest = (concurrency: number): string =>
  `mode = "persistent"\nconcurrency = ${concurrency}\n[args.do]\nsummary = "x"\nrequired = true\n[args.size]\nsummary = "x"`;

/** The plugin `many`, and a request to it. */
const many = async (options: RequestOptions & { readonly concurrency?: number; readonly folder?: string } = {}) => {
  const { concurrency = 4, folder = temporaryFolder(), ...rest } = options;
  writePlugin(folder, 'many', `#!${process.execPath}\n${script}`, manifest(concurrency));
  const room = await requestsIn(folder, rest);
  const ask = (trick: string, fields: Parameters<typeof workerRequest>[0] = {}) => {
    const request = workerRequest({ plugin: 'many', ...fields, args: { do: trick, ...fields.args } });
    const heard = listener();
    return { request, heard, said: room.jobs.start(request, heard) };
  };
  return { ...room, ask };
};

describe('a persistent plugin', () => {
  it('a persistent plugin does many requests in one process, and each request gets its own answers', async () => {
    const { ask, jobs, queues } = await many();
    const asked = ['a', 'b', 'c', 'd'].map((text) => ask('echo', { payload: Buffer.from(text) }));
    expect(asked.map(({ said }) => said)).toEqual(['started', 'started', 'started', 'started']);
    expect([jobs.free(), ask('echo').said]).toEqual([0, 'no-slot']);
    expect(queues.summary()[0]).toMatchObject({ running: 4 });
    for (const { heard } of asked)
      expect(await heard.end()).toMatchObject({ result: { kind: 'succeeded', exitCode: 0 } });
    expect(asked.map(({ heard }) => heard.text())).toEqual(['a', 'b', 'c', 'd']);
    const pids = [await text(ask('pid')), await text(ask('pid'))];
    expect(pids[0]).toBe(pids[1]);
  });

  it('a persistent plugin gets more processes where one has no slot, and learns what each request is', async () => {
    const { ask } = await many({ concurrency: 1 });
    const [first, second] = [ask('hold'), ask('hold')];
    await until(() => first.heard.text() !== '' && second.heard.text() !== '', 'both');
    expect(first.heard.text()).not.toBe(second.heard.text());
    const third = ask('context', { timeoutMs: 60_000 });
    expect(JSON.parse(await text(third))).toEqual({ context: {}, args: { do: 'context' }, timeout_ms: 60_000 });
  });

  it('a persistent plugin may be sent any bytes, may answer with any, and marks what is output and what is error', async () => {
    const { ask, jobs } = await many();
    const payload = Buffer.from(Array.from({ length: 70_000 }, (_, index) => 255 - (index % 256)));
    const bytes = ask('bytes', { payload });
    await bytes.heard.end();
    expect(bytes.heard.bytes().equals(payload)).toBe(true);
    const both = ask('both');
    expect(await both.heard.end()).toMatchObject({ result: { kind: 'failed', exitCode: 3 }, outputBytes: 14 });
    expect(both.heard.pieces).toEqual([
      { stream: 'out', text: 'one\n' },
      { stream: 'err', text: 'two\n' },
      { stream: 'out', text: 'three\n' },
    ]);
    // Of what comes on two pipes nobody knows the order: it has to be heard before its job has ended.
    const stderr = ask('stderr');
    await until(() => stderr.heard.pieces.length > 0, 'what it writes to stderr');
    expect(stderr.heard.pieces).toEqual([{ stream: 'err', text: 'from stderr\n' }]);
    jobs.cancel(stderr.request, 'enough');
    await stderr.heard.end();
  });

  it('a persistent plugin keeps stderr apart for a job that needs it, and compresses its output', async () => {
    const { queues } = await many();
    const job = queues.add(jobRequest({ plugin: 'many', args: { do: 'both' }, stderrApart: true, gzip: true }));
    await queues.waitFor(job.id, new AbortController().signal);
    expect(gunzipSync(readFileSync(join(job.folder, 'output'))).toString()).toBe('one\nthree\n');
    expect(readFileSync(join(job.folder, 'output.err'), 'utf8')).toBe('two\n');
  });

  it('a persistent plugin’s request is refused with an argument that the manifest does not know', async () => {
    const { ask, queues } = await many();
    expect(() => ask('echo', { args: { nosuch: 'x' } })).toThrow(expect.objectContaining({ code: 'plugin-arguments' }));
    expect(queues.list({})).toEqual([]);
  });

  it('a persistent plugin’s idle process ends, and one whose file has changed is started again', async () => {
    const { ask, folder, leftovers } = await many({ idleMs: 50 });
    const before = await text(ask('pid'));
    await until(() => readdirSync(leftovers).length === 0, 'the end of an idle process');
    const after = await text(ask('pid'));
    expect(after).not.toBe(before);
    const held = ask('hold');
    await until(() => held.heard.text() !== '', 'a job that runs');
    writePlugin(folder, 'many', `#!${process.execPath}\n${script}\n// changed\n`, manifest(4));
    await until(async () => !held.heard.text().startsWith(await text(ask('pid'))), 'a new process');
    expect(held.heard.endings).toEqual([]);
  });
});

describe('its jobs', () => {
  it('in-memory jobs are in the queue while they run, and in the journal with output and ID when they have ended', async () => {
    const first = await many();
    const held = first.ask('hold');
    await until(() => held.heard.text() !== '', 'a job that runs');
    expect(first.queues.list({ queue: 'requests' })).toMatchObject([
      { id: 1, state: 'running', command: 'many do=hold' },
    ]);
    expect(first.queues.get(1)).toMatchObject({ state: 'running', outputIn: 'memory' });
    const both = first.ask('both');
    await both.heard.end();
    const again = listener();
    expect(first.jobs.start(both.request, again)).toBe('known');
    expect(await again.end()).toEqual(both.heard.endings[0]);
    await until(() => first.queues.get(2).outputIn === 'journal', 'the journal');
    expect(first.journal.recordedOutput(2)).toEqual({
      bytes: Buffer.from('one\ntwo\nthree\n'),
      index: [
        ['out', 4],
        ['err', 4],
        ['out', 6],
      ],
    });
    expect(existsSync(join(first.folder, 'jobs/2'))).toBe(false);
    first.jobs.cancel(held.request, 'enough');
    await held.heard.end();
    await first.stop();

    const second = await many({ folder: first.folder });
    const later = listener();
    expect(second.jobs.start(both.request, later)).toBe('known');
    expect([await later.end(), later.pieces]).toEqual([both.heard.endings[0], both.heard.pieces]);
    expect(second.queues.list({ limit: 10 })).toMatchObject([
      { id: 1, result: { kind: 'killed', signal: 'SIGTERM', reason: 'enough' } },
      { id: 2, result: { kind: 'failed', exitCode: 3 } },
    ]);
    // Ids that were reserved and not used are not given again.
    expect(second.queues.add(jobRequest({ plugin: 'many', args: { do: 'echo' } })).id).toBe(257);
  });

  it('in-memory jobs show their output wherever it is: all of it, the last lines, from a byte on, or as it arrives', async () => {
    const { ask, jobs, queues } = await many();
    const outputs = createOutputsService(queues);
    const shown = async (id: number, options: Partial<OutputOptions> = {}) => {
      const asked = { follow: false, lines: undefined, from: undefined, ...options };
      const { from, bytes } = await outputs.open(queues.get(id), asked, new AbortController().signal);
      return [from, (await buffer(bytes)).toString()];
    };
    await ask('both').heard.end();
    const everyWay = async () => [
      await shown(1),
      await shown(1, { lines: 2 }),
      await shown(1, { lines: 0 }),
      await shown(1, { lines: 99 }),
      await shown(1, { from: 6 }),
    ];
    const expected = [
      [0, 'one\ntwo\nthree\n'],
      [4, 'two\nthree\n'],
      [14, ''],
      [0, 'one\ntwo\nthree\n'],
      [6, 'o\nthree\n'],
    ];
    expect(await everyWay()).toEqual(expected);
    await until(() => queues.get(1).outputIn === 'journal', 'the journal');
    expect(await everyWay()).toEqual(expected);

    const held = ask('hold');
    await until(() => held.heard.text() !== '', 'a job that runs');
    const followed = shown(2, { follow: true });
    const first = held.heard.text();
    expect(await shown(2)).toEqual([0, first]);
    jobs.cancel(held.request, 'enough');
    expect(await followed).toEqual([0, `${first}kill\n`]);
  });

  it('in-memory jobs are reported, once they are in the journal, to whoever counts jobs or waits for one', async () => {
    const { ask, queues } = await many();
    const recorded: number[] = [];
    const stopListening = queues.onRecorded(({ id }) => void recorded.push(id));
    const held = ask('hold');
    await until(() => held.heard.text() !== '', 'a job that runs');
    const waited = queues.waitFor(1, new AbortController().signal);
    await queues.kill(1);
    expect(await waited).toMatchObject({ id: 1, result: { kind: 'killed' } });
    expect([recorded, queues.get(1).outputIn]).toEqual([[1], 'journal']);
    stopListening();
  });

  it('in-memory jobs keep only the newest in the journal, and all their IDs', async () => {
    const { ask, jobs, queues } = await many({ keep: 2 });
    const asked = [];
    for (let index = 0; index < 4; index += 1) {
      const one = ask('echo', { payload: Buffer.from(`${index}`) });
      await one.heard.end();
      asked.push(one);
    }
    await until(
      () =>
        queues
          .list({})
          .map(({ id }) => id)
          .join() === '3,4',
      'the newest two',
    );
    const known = listener();
    expect(jobs.start(asked[0]?.request ?? workerRequest(), known)).toBe('known');
    expect(await known.end()).toMatchObject({ jobId: 1, result: { kind: 'succeeded' } });
    expect(known.text()).toContain('not kept any more');
  });

  it('in-memory jobs that print much keep their output in a file, cut as any other’s, and deliver it in full order', async () => {
    const { ask, jobs, queues, folder } = await many({ maxOutputBytes: 200_000 });
    const { heard, request } = ask('much', { args: { size: '3000000' } });
    expect(await heard.end()).toMatchObject({ outputBytes: heard.bytes().length });
    expect(heard.text().endsWith('x\nthe end\n')).toBe(true);
    expect(heard.text()).toContain('[triggerd: 2734472 bytes left out]');
    expect(readFileSync(join(folder, 'jobs/1/output')).equals(heard.bytes())).toBe(true);
    await until(() => queues.get(1).outputIn === undefined, 'the journal');
    const later = listener();
    expect(jobs.follow(request, later)).toBe(true);
    await later.end();
    expect(later.bytes().equals(heard.bytes())).toBe(true);
  });

  it('in-memory jobs drain and pause with their queue as others do', async () => {
    const { ask, jobs, queues } = await many();
    const held = ask('hold');
    const drained = queues.drain('requests', new AbortController().signal);
    expect(ask('echo').said).toBe('no-slot');
    jobs.cancel(held.request, 'enough');
    await drained;
    await until(() => jobs.free() === 4, 'the slots');
    queues.pause('requests');
    expect(ask('echo').said).toBe('no-slot');
  });

  it('jobs of people and firings run in a persistent plugin, too, with files as any other job', async () => {
    const { queues, folder } = await many();
    const { id } = queues.add(jobRequest({ plugin: 'many', args: { do: 'both' } }));
    expect(await queues.waitFor(id, new AbortController().signal)).toMatchObject({
      result: { kind: 'failed', exitCode: 3 },
    });
    expect(readFileSync(join(folder, `jobs/${id}/output`), 'utf8')).toBe('one\ntwo\nthree\n');
    const held = queues.add(jobRequest({ plugin: 'many', args: { do: 'hold' } }));
    await until(() => existsSync(join(folder, `jobs/${held.id}/output.idx`)), 'its output');
    await queues.kill(held.id);
    expect(await queues.waitFor(held.id, new AbortController().signal)).toMatchObject({ result: { kind: 'killed' } });
    const crashed = queues.add(jobRequest({ plugin: 'many', args: { do: 'crash' } }));
    expect(await queues.waitFor(crashed.id, new AbortController().signal)).toMatchObject({
      result: { kind: 'interrupted' },
    });
  });
});

describe('what goes wrong with it', () => {
  it('a persistent plugin is told of a timeout or a cancel, and says how the job ends', async () => {
    const { ask, jobs } = await many();
    await text(ask('pid'));
    const slow = ask('hold', { timeoutMs: 100 });
    expect(await slow.heard.end()).toMatchObject({ result: { kind: 'timed-out' } });
    expect(slow.heard.pieces.at(-1)).toEqual({ stream: 'err', text: 'timeout\n' });
    const cancelled = ask('hold');
    jobs.cancel(cancelled.request, 'enough');
    expect(await cancelled.heard.end()).toMatchObject({
      result: { kind: 'killed', signal: 'SIGTERM', reason: 'enough' },
    });
  });

  it('a persistent plugin that ignores a cancel is killed after the grace period, which interrupts its other jobs; the next job gets a new process', async () => {
    const { ask, jobs } = await many({ graceMs: 200 });
    const [deaf, other] = [ask('deaf'), ask('hold')];
    await until(() => other.heard.text() !== '', 'both');
    jobs.cancel(deaf.request, 'enough');
    expect(await deaf.heard.end()).toMatchObject({ result: { kind: 'killed', signal: 'SIGKILL', reason: 'enough' } });
    expect(await other.heard.end()).toMatchObject({
      result: { kind: 'interrupted', reason: expect.stringMatching(/did not end another of its jobs/) },
    });
    expect(await text(ask('pid'))).not.toBe(deaf.heard.text().trim());
  });

  it.each([
    ['crash', /ended with exit code 9/],
    ['nonsense', /no answer \(not a JSON object\): hello\?/],
    ['wrong', /`exit` is not a number/],
    ['endless', /a line that is too long/],
  ])(
    'a persistent plugin fails (%s): its jobs end as interrupted and say why; a new process takes the next',
    async (trick, reason) => {
      const { ask } = await many();
      const [bad, other] = [ask(trick), ask('hold')];
      const interrupted = { result: { kind: 'interrupted', reason: expect.stringMatching(reason) } };
      expect(await bad.heard.end()).toMatchObject(interrupted);
      expect(await other.heard.end()).toMatchObject(interrupted);
      expect(await text(ask('echo', { payload: Buffer.from('fine') }))).toBe('fine');
    },
  );

  it('a persistent plugin that crashes again and again is not restarted for a while: its jobs say so', async () => {
    const { ask, log } = await many();
    let crashes = 0;
    // Each one makes the rest longer, so that also a busy machine asks within it.
    const refused = await until(async () => {
      const { result } = await ask('crash').heard.end();
      if (result.kind === 'failed-to-start') return result;
      crashes += 1;
      return undefined;
    }, 'a rest');
    expect(refused.reason).toContain('failed several times');
    expect(crashes).toBeGreaterThanOrEqual(2);
    expect(log.at('warn')).toHaveLength(crashes);
  });

  it('a persistent plugin that cannot be started ends its jobs with that reason', async () => {
    const folder = temporaryFolder();
    writePlugin(folder, 'broken', '#!/no/such/interpreter\n', 'mode = "persistent"');
    const { jobs } = await requestsIn(folder);
    const heard = listener();
    jobs.start(workerRequest({ plugin: 'broken' }), heard);
    expect(await heard.end()).toMatchObject({
      result: { kind: 'interrupted', reason: expect.stringContaining('ENOENT') },
    });
  });

  it('a persistent plugin’s message about a job that it does not have is ignored', async () => {
    const { ask, log } = await many();
    expect(await text(ask('stranger'))).toBe('mine');
    expect(log.at('warn')).toMatchObject([{ fields: { id: 4_000_000 } }]);
  });

  it('a persistent plugin that a killed daemon has left is killed by the next daemon', async () => {
    const { ask, folder, leftovers } = await many();
    const held = ask('hold');
    await until(() => held.heard.text() !== '', 'a job that runs');
    const pid = Number(held.heard.text());
    await stopLeftovers(leftovers);
    expect(existsSync(`/proc/${pid}/cmdline`) && readFileSync(`/proc/${pid}/cmdline`, 'utf8') !== '').toBe(false);
    expect(readdirSync(join(folder, 'persistent'))).toEqual([]);
  });

  it('a stop of the worker interrupts the jobs of its persistent plugins', async () => {
    const { ask, jobs } = await many();
    const held = ask('hold');
    await until(() => held.heard.text() !== '', 'a job that runs');
    await jobs.close('The worker was stopped.');
    expect(await held.heard.end()).toMatchObject({
      result: { kind: 'interrupted', reason: 'The worker was stopped.' },
    });
  });
});

const text = async ({ heard }: { readonly heard: ReturnType<typeof listener> }): Promise<string> => {
  await heard.end();
  return heard.text();
};
