import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../support/journal.ts';
import { processesWith } from '../../support/processes.ts';
import { listener, requestsIn, workerRequest, writePlugin } from '../../support/requests.ts';
import { until } from '../../support/wait.ts';

const plainly = async (script: string, options = {}) => {
  const folder = temporaryFolder();
  writePlugin(folder, 'plain', script);
  return requestsIn(folder, options);
};

describe('a request', () => {
  it('a request runs at once with its arguments, its payload and its user, and its listener gets all output', async () => {
    const folder = temporaryFolder();
    writePlugin(
      folder,
      'plain',
      'echo "$TRIGGER_ARG_TEXT $TRIGGERD_SOURCE $TRIGGERD_SERVICE $TRIGGERD_WORKER $TRIGGERD_USER $TRIGGERD_REQUEST"; cat; echo oops >&2; exit 3',
      '[args.text]\nsummary = "x"',
    );
    const { jobs, queues } = await requestsIn(folder);
    const request = workerRequest({ args: { text: 'hello' }, payload: Buffer.from('some\ninput\n') });
    const heard = listener();
    expect(jobs.start(request, heard)).toBe('started');
    expect(heard.pieces).toEqual([]);
    expect(jobs.running()).toEqual([{ id: request.id, worker: 'ops/demo01', user: 'alice@ops' }]);
    const ending = await heard.end();
    expect(heard.text()).toBe(`hello request demoservice ops/demo01 alice@ops ${request.id}\nsome\ninput\noops\n`);
    expect(
      heard.pieces
        .filter(({ stream }) => stream === 'err')
        .map(({ text }) => text)
        .join(''),
    ).toBe('oops\n');
    expect(ending).toMatchObject({
      jobId: 1,
      result: { kind: 'failed', exitCode: 3 },
      outputBytes: heard.bytes().length,
    });
    expect(ending.outputTail.equals(heard.bytes())).toBe(true);
    expect(ending.ranMs).toBeGreaterThanOrEqual(0);
    expect(jobs.running()).toEqual([]);
    expect(queues.list({ queue: 'requests' })).toMatchObject([
      { id: 1, state: 'finished', command: 'plain text=hello', request: { source: 'request', user: 'alice@ops' } },
    ]);
  });

  it('a request may carry any bytes, and may output any', async () => {
    const { jobs } = await plainly('cat');
    const payload = Buffer.from(Array.from({ length: 100_000 }, (_, index) => (index * 7) % 256));
    const heard = listener();
    jobs.start(workerRequest({ payload }), heard);
    await heard.end();
    expect(heard.bytes().equals(payload)).toBe(true);
  });

  it('a request is heard while it runs, by a late listener from the first byte on', async () => {
    const { jobs, queues, go } = await waiting('echo first', 'echo last');
    const [early, late] = [listener(), listener()];
    const request = workerRequest();
    jobs.start(request, early);
    await until(() => early.text() === 'first\n', 'the first line');
    expect(jobs.follow(request, late)).toBe(true);
    await until(() => late.text() === 'first\n', 'the first line, late');
    expect(queues.summary()).toMatchObject([{ name: 'requests', running: 1, queued: 0 }, { name: 'default' }]);
    go();
    await Promise.all([early.end(), late.end()]);
    expect([early.text(), late.text()]).toEqual(['first\nlast\n', 'first\nlast\n']);
    expect([early.endings.length, late.endings.length]).toEqual([1, 1]);
  });

  it('a request continues without a listener that was removed', async () => {
    const { jobs, go } = await waiting('echo first', 'echo last');
    const [gone, stays] = [listener(), listener()];
    const request = workerRequest();
    jobs.start(request, gone);
    jobs.follow(request, stays);
    await until(() => gone.text() === 'first\n', 'the first line');
    jobs.unfollow(request, gone);
    go();
    expect(await stays.end()).toMatchObject({ result: { kind: 'succeeded' } });
    expect([gone.text(), gone.endings.length]).toEqual(['first\n', 0]);
  });

  it('a request is not delayed by a slow listener: its output waits in the file', async () => {
    const { jobs, queues } = await plainly('head -c 1000000 /dev/zero');
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slow = listener(() => held);
    jobs.start(workerRequest(), slow);
    await until(() => queues.find(1)?.state === 'finished', 'the end of the job');
    await until(() => slow.pieces.length === 1, 'the first piece');
    expect(slow.endings).toEqual([]);
    release();
    expect(await slow.end()).toMatchObject({ outputBytes: 1_000_000 });
    expect(slow.bytes()).toHaveLength(1_000_000);
  });

  it.each([
    ['no/such', {}, 'plugin-not-found'],
    ['../plain', {}, 'plugin-name-invalid'],
    ['/etc/passwd', {}, 'plugin-name-invalid'],
    ['plain', { what: 'x' }, 'plugin-arguments'],
  ])('a request of %s with %j could never run: %s', async (plugin, args, code) => {
    const { jobs, queues } = await plainly('true');
    const refused = expect.objectContaining({ code });
    expect(() => jobs.start(workerRequest({ plugin, args }), listener())).toThrow(refused);
    expect([queues.list({}), jobs.free()]).toEqual([[], 4]);
  });
});

describe('slots', () => {
  it('slots are taken or refused at once; a slot that is free again is announced', async () => {
    const { jobs, queues, go } = await waiting('', '', { slots: 2 });
    const freed: number[] = [];
    const stopListening = jobs.onFree(() => void freed.push(jobs.free()));
    const heard = listener();
    expect(jobs.start(workerRequest(), heard)).toBe('started');
    expect(jobs.free()).toBe(1);
    expect(jobs.start(workerRequest(), listener())).toBe('started');
    const third = workerRequest();
    expect([jobs.free(), jobs.start(third, listener())]).toEqual([0, 'no-slot']);
    expect(jobs.follow(third, listener())).toBe(false);
    queues.setSlots('requests', 3);
    expect([jobs.free(), freed.at(-1)]).toEqual([1, 1]);
    expect(jobs.start(third, listener())).toBe('started');
    go();
    await heard.end();
    await until(() => freed.at(-1) === 3, 'three free slots');
    stopListening();
  });

  it('slots are not available while the queue is paused or drains', async () => {
    const { jobs, queues, go } = await waiting('', '', { slots: 1 });
    queues.pause('requests');
    expect([jobs.free(), jobs.start(workerRequest(), listener())]).toEqual([0, 'no-slot']);
    queues.resume('requests');
    const heard = listener();
    jobs.start(workerRequest(), heard);
    const drained = queues.drain('requests', new AbortController().signal);
    queues.setSlots('requests', 2);
    expect(jobs.free()).toBe(0);
    go();
    await drained;
    await until(() => jobs.free() === 2, 'two free slots');
  });
});

describe('a request that has ended or runs', () => {
  it('a request that has ended is not run again: its listener gets the record, also after a restart and without the job', async () => {
    const folder = temporaryFolder();
    writePlugin(folder, 'plain', `echo "run" >> ${folder}/runs; echo done; exit 4`);
    const first = await requestsIn(folder);
    const request = workerRequest();
    const heard = listener();
    first.jobs.start(request, heard);
    await heard.end();
    const again = listener();
    expect(first.jobs.start(request, again)).toBe('known');
    expect(await again.end()).toEqual(heard.endings[0]);
    // The same id, given to another worker of this daemon, is another run.
    const other = listener();
    expect(first.jobs.start({ ...request, worker: 'ops/demo02' }, other)).toBe('started');
    await other.end();
    // As is the same id of another user: nobody gets at the output of others.
    expect(first.jobs.follow({ ...request, user: 'mallory@ops' }, listener())).toBe(false);
    await first.stop();

    const second = await requestsIn(folder);
    const later = listener();
    expect(second.jobs.start(request, later)).toBe('known');
    expect(await later.end()).toEqual(heard.endings[0]);
    expect(later.text()).toBe('done\n');
    second.queues.clear();
    const tooLate = listener();
    expect(second.jobs.start(request, tooLate)).toBe('known');
    expect(await tooLate.end()).toMatchObject({ jobId: 1, result: { kind: 'failed', exitCode: 4 } });
    expect(tooLate.pieces).toEqual([{ stream: 'err', text: '[triggerd: the output is not kept any more]\n' }]);
    expect(readFileSync(join(folder, 'runs'), 'utf8')).toBe('run\nrun\n');
  });

  it('a restart of the worker kills a running request’s whole tree and records it as interrupted, once', async () => {
    const mark = `1${process.pid}99`;
    const folder = temporaryFolder();
    writePlugin(folder, 'plain', `echo begun; setsid sleep ${mark} & sleep ${mark}`, 'on_restart = "rerun"');
    const first = await requestsIn(folder);
    const request = workerRequest();
    const heard = listener();
    first.jobs.start(request, heard);
    await until(() => heard.text() === 'begun\n', 'its output');
    await until(() => processesWith(`sleep ${mark}`).length === 2, 'its processes');
    await first.stop();

    const second = await requestsIn(folder);
    const later = listener();
    expect(second.jobs.start(request, later)).toBe('known');
    expect(await later.end()).toMatchObject({
      jobId: 1,
      result: { kind: 'interrupted', reason: expect.stringMatching(/^The daemon restarted/) },
    });
    expect(later.text()).toBe('begun\n');
    expect(processesWith(`sleep ${mark}`)).toEqual([]);
    await until(() => second.jobs.free() === 4, 'its slot');
  });

  it('a request that ended while no daemon ran keeps its own result', async () => {
    const { folder, jobs, stop, go } = await waiting('echo begun', 'exit 6');
    const request = workerRequest();
    const heard = listener();
    jobs.start(request, heard);
    await until(() => heard.text() === 'begun\n', 'its output');
    await stop();
    go();
    await until(() => existsSync(join(folder, 'jobs/1/status.json')), 'its end');
    const second = await requestsIn(folder);
    const later = listener();
    second.jobs.start(request, later);
    expect(await later.end()).toMatchObject({ result: { kind: 'failed', exitCode: 6 } });
  });

  it('a request is ended by a stop of the worker, and says so', async () => {
    const { jobs } = await plainly('echo begun; sleep 60');
    const heard = listener();
    jobs.start(workerRequest(), heard);
    await until(() => heard.text() === 'begun\n', 'its output');
    await jobs.close('The worker was stopped.');
    expect(await heard.end()).toMatchObject({ result: { kind: 'interrupted', reason: 'The worker was stopped.' } });
  });
});

describe('a request that is ended', () => {
  it('a cancelled request is killed with every process that it has started, and the reason is recorded', async () => {
    const mark = `2${process.pid}99`;
    const deaf = `trap '' TERM; setsid sleep ${mark} & echo begun; sleep ${mark}`;
    const { jobs, queues } = await plainly(deaf, { graceMs: 200 });
    const request = workerRequest();
    const heard = listener();
    jobs.start(request, heard);
    await until(() => heard.text() === 'begun\n', 'its output');
    jobs.cancel(request, 'alice has cancelled it');
    jobs.cancel(request, 'a second reason');
    const result = { kind: 'killed', signal: 'SIGKILL', reason: 'alice has cancelled it' };
    expect(await heard.end()).toMatchObject({ result });
    expect(queues.get(1)).toMatchObject({ result });
    expect(processesWith(`sleep ${mark}`)).toEqual([]);
  });

  it('a request that is cancelled before it has begun never begins', async () => {
    const { folder, jobs } = await plainly('touch "$0.ran"');
    const request = workerRequest();
    const heard = listener();
    jobs.start(request, heard);
    jobs.cancel(request, 'changed my mind');
    expect(await heard.end()).toMatchObject({ result: { kind: 'killed', reason: 'changed my mind' }, ranMs: null });
    expect(existsSync(join(folder, 'plugins/plain/plain.ran'))).toBe(false);
  });

  it('a request that times out is killed with its whole tree, also where it ignores TERM', async () => {
    const mark = `3${process.pid}99`;
    const { jobs } = await plainly(`trap '' TERM; (sleep ${mark}) & echo begun; sleep ${mark}`, { graceMs: 200 });
    let timeoutMs = 150;
    // On a busy machine it may not have begun by then; the next one gets more time.
    const heard = await until(async () => {
      timeoutMs *= 2;
      const each = listener();
      jobs.start(workerRequest({ timeoutMs }), each);
      expect(await each.end()).toMatchObject({ result: { kind: 'timed-out' } });
      return each.text() === '' ? undefined : each;
    }, 'one that has begun');
    expect(heard.text()).toBe('begun\n');
    expect(processesWith(`sleep ${mark}`)).toEqual([]);
  });
});

describe('C5: odd plugins', () => {
  it('C5: a plugin that prints without end is cut with a marker, and its end is reported', async () => {
    const { jobs } = await plainly('head -c 30000000 /dev/zero; echo "the end"', { maxOutputBytes: 100_000 });
    const heard = listener();
    jobs.start(workerRequest(), heard);
    const ending = await heard.end();
    expect(ending).toMatchObject({ result: { kind: 'succeeded' }, outputBytes: heard.bytes().length });
    expect(heard.bytes().length).toBeLessThan(200_000);
    expect(heard.pieces.filter(({ stream }) => stream === 'err').map(({ text }) => text)).toEqual([
      '\n[triggerd: 29834472 bytes left out]\n',
    ]);
    expect(heard.text().endsWith('the end\n')).toBe(true);
  });

  it('C5: a plugin that closes its output early, and reads nothing of a large payload, ends normally', async () => {
    const { jobs } = await plainly('exec 1>&- 2>&-; exit 5');
    const heard = listener();
    jobs.start(workerRequest({ payload: Buffer.alloc(2_000_000, 'x') }), heard);
    expect(await heard.end()).toMatchObject({ result: { kind: 'failed', exitCode: 5 }, outputBytes: 0 });
  });
});

/** A plugin that waits between two commands until `go`. */
const waiting = async (before: string, after: string, options = {}) => {
  const folder = temporaryFolder();
  writePlugin(folder, 'plain', `${before}\nuntil [ -e ${folder}/go ]; do sleep 0.01; done\n${after}`);
  return { ...(await requestsIn(folder, options)), go: () => writeFileSync(join(folder, 'go'), '') };
};
