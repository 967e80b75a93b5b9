import { describe, expect, it } from 'vitest';
import { TriggerdError } from '../../../src/domain/errors.ts';
import type { QueuedJob, RunningJob } from '../../../src/domain/job.ts';
import { resolveArguments } from '../../../src/plugin/arguments.ts';
import { execDriver } from '../../../src/plugin/exec-driver.ts';
import { createFiringJob } from '../../../src/plugin/live-plugins.ts';
import { createManifestReader, readManifest } from '../../../src/plugin/manifest.ts';
import { canonicalPluginName } from '../../../src/plugin/plugin-name.ts';
import { createPlugins, type PluginsOptions } from '../../../src/plugin/plugins.ts';
import type { RunExit, RunTerms } from '../../../src/queue/ports/runner.ts';
import { firing } from '../../support/firings.ts';
import { jobRequest } from '../../support/jobs.ts';

const manifestText = `
summary = "x"
timeout = "1m"
[args.text]
summary = "what"
pattern = "[a-z]+"
[args.file-name]
summary = "where"
default = "here"
`;
const source = {
  name: 'echo',
  executable: '/p/echo/echo',
  version: '1',
  manifestFile: '/p/echo/plugin.toml',
  manifestText,
};

describe('a plugin’s name', () => {
  it.each(['../x', '/etc/passwd', 'a/../b', 'a//b', '', '.', 'a b', 'a;b', 'a\0b', 'x/..'])(
    'the plugin name %j is refused',
    (name) => {
      expect(() => canonicalPluginName(name)).toThrow(expect.objectContaining({ code: 'plugin-name-invalid' }));
    },
  );

  it('a plugin’s name is the same as the executable’s path and as the short form', () => {
    expect(canonicalPluginName('command/command')).toBe('command');
    expect(canonicalPluginName('command')).toBe('command');
    expect(canonicalPluginName('file/stream')).toBe('file/stream');
  });
});

describe('a manifest', () => {
  it('a manifest’s error names every key that is wrong', () => {
    const bad = { ...source, manifestText: 'summary = 1\ncolour = "red"\ntimeout = "soon"' };
    expect(() => readManifest(bad)).toThrow(/plugin\.toml: .*summary.*/);
    expect(() => readManifest(bad)).toThrow(/colour/);
    expect(() => readManifest(bad)).toThrow(/timeout/);
  });

  it('a manifest’s syntax error has line and column', () => {
    expect(() => readManifest({ ...source, manifestText: 'summary = "x"\n= 3' })).toThrow(/plugin\.toml:2:1/);
  });
});

describe('a manifest that is read again', () => {
  const read = createManifestReader();

  it('a manifest that is read again is the same one, with the current executable', () => {
    const first = read(source);
    const moved = read({ ...source, executable: '/p/echo/other' });
    expect(moved.manifest).toBe(first.manifest);
    expect(moved.executable).toBe('/p/echo/other');
  });

  it('a manifest is parsed again when its text has changed', () => {
    read(source);
    expect(read({ ...source, manifestText: 'summary = "y"' }).manifest.summary).toBe('y');
    expect(() => read({ ...source, manifestText: 'summary = 1' })).toThrow(/summary/);
    expect(read(source).manifest.summary).toBe('x');
  });
});

describe('arguments', () => {
  const plugin = readManifest(source);

  it('arguments get their defaults', () => {
    expect(resolveArguments(plugin, { text: 'abc' })).toEqual({ text: 'abc', 'file-name': 'here' });
  });

  it.each([
    [{ colour: 'red' }, /takes no argument “colour”/],
    [{ text: 'ABC' }, /“text” must match/],
    [{ text: 'abc\nDEF' }, /“text” must match/],
    [{ 'file-name': 'a\0b' }, /NUL/],
    [{ constructor: 'x' }, /takes no argument “constructor”/],
  ])('the argument %j is refused', (args, message) => {
    expect(() => resolveArguments(plugin, args as Record<string, string>)).toThrow(message);
  });
});

describe('a number', () => {
  const plugin = readManifest({
    ...source,
    manifestText: 'summary = "x"\n[args.n]\nsummary = "n"\nkind = "integer"\nmin = -5\nmax = 4194304',
  });

  it.each(['0', '-5', '4194304'])('the argument %s is a number', (n) => {
    expect(resolveArguments(plugin, { n })).toEqual({ n });
  });

  it.each([
    ...['', '-6', '4194305', '01', '+1', ' 1', '1 ', '1\n', '-0', '1.0', '1e3', '0x10', '1_000', '１', '٣', '1,000'],
    ...['18446744073709551617', '9'.repeat(400), 'NaN', 'Infinity', '--1', '1\0'],
  ])('the number %j is refused', (n) => {
    expect(() => resolveArguments(plugin, { n })).toThrow(/“n” must be a whole number from -5 to 4194304/);
  });
});

describe('a fixed argument', () => {
  const plugin = readManifest({
    ...source,
    manifestText: 'summary = "x"\n[args.root]\nsummary = "r"\nfixed = "/srv"\n[args.none]\nsummary = "n"\nfixed = ""',
  });

  it('a fixed argument has the manifest’s value, whatever a job says', () => {
    expect(resolveArguments(plugin, {})).toEqual({ root: '/srv', none: '' });
    expect(resolveArguments(plugin, { root: '/srv' })).toEqual({ root: '/srv', none: '' });
    for (const args of [{ root: '/' }, { root: '' }, { none: 'x' }])
      expect(() => resolveArguments(plugin, args as Record<string, string>)).toThrow(/is fixed by this node’s plugin/);
  });
});

describe('a rule of a manifest', () => {
  const read = (lines: string) =>
    readManifest({ ...source, manifestText: `summary = "x"\n[args.a]\nsummary = "a"\n${lines}` });

  it.each([
    ['min = 1', /args\.a: min and max need kind = "integer"/],
    ['kind = "integer"\nmin = 2\nmax = 1', /args\.a: min is above max/],
    ['kind = "integer"\nmax = 1\ndefault = "2"', /args\.a: its own value must be a whole number/],
    ['kind = "integer"\nmin = 1.5', /whole number/],
    ['pattern = "[a-z]"\ndefault = "1"', /args\.a: its own value must match/],
    ['fixed = "1"\ndefault = "2"', /args\.a: fixed excludes required and default/],
    ['fixed = "1"\nrequired = true', /args\.a: fixed excludes required and default/],
    ['kind = "float"', /kind/],
  ])('the manifest’s rule %j is refused', (lines, message) => {
    expect(() => read(lines)).toThrow(message);
  });
});

describe('a pattern', () => {
  const plugin = readManifest({
    ...source,
    manifestText: 'summary = "x"\n[args.word]\nsummary = "w"\npattern = "(a+)+"',
  });

  it('a pattern that would take years for a value refuses the value', () => {
    expect(() => resolveArguments(plugin, { word: `${'a'.repeat(60)}!` })).toThrow(/“word” could not be compared/);
  });

  it('a pattern that took too long works again immediately', () => {
    expect(resolveArguments(plugin, { word: 'aaa' })).toEqual({ word: 'aaa' });
    expect(() => resolveArguments(plugin, { word: 'b' })).toThrow(/“word” must match/);
  });
});

describe('the plan for a job', () => {
  const options: PluginsOptions = {
    files: { find: () => source, names: () => ['echo'] },
    puppetDriver: execDriver,
    node: 'lb01',
    baseEnv: { PATH: '/bin', LANG: 'C.UTF-8' },
    stateFolder: '/s/plugins',
    graceMs: 1000,
    maxOutputBytes: 10,
    defaultTimeoutMs: null,
    limits: { memoryBytes: 1000, processes: 100 },
    contextOf: () => '{}',
    proofOf: () => undefined,
    now: () => 0,
  };
  const room = createPlugins(options);
  const job: QueuedJob = {
    id: 3,
    request: jobRequest({ plugin: 'echo', args: { text: 'abc' }, env: { EXTRA: '1' } }),
    command: 'echo',
    firings: ['F1'],
    attempt: 1,
    folder: '/j/3',
    enqueuedAt: 0,
    state: 'queued',
    deferral: null,
  };

  it('the plan for a job has the arguments as variables, the base environment, and nothing of the daemon’s own', async () => {
    const { env, argv, timeoutMs } = await room.prepare(job);
    expect(argv).toEqual(['/p/echo/echo']);
    expect(timeoutMs).toBe(60_000);
    expect(env).toEqual({
      PATH: '/bin',
      LANG: 'C.UTF-8',
      EXTRA: '1',
      TRIGGER_ARG_TEXT: 'abc',
      TRIGGER_ARG_FILE_NAME: 'here',
      TRIGGERD_JOB: '3',
      TRIGGERD_ACTS_AS: 'machine',
      TRIGGERD_ATTEMPT: '1',
      TRIGGERD_NODE: 'lb01',
      TRIGGERD_SOURCE: 'cli',
      TRIGGERD_NOOP: '0',
      TRIGGERD_FIRING: 'F1',
      TRIGGERD_STATE: '/s/plugins/echo',
      TRIGGERD_DEADLINE: '1970-01-01T00:01:00.000Z',
    });
  });

  it('the plan for a job has the configuration’s limits, and the plugin’s where it has its own', async () => {
    const own = 'summary = "x"\nmax_memory = "1MiB"\nmax_open_files = 64';
    const files = { find: () => ({ ...source, manifestText: own }), names: () => ['echo'] };
    expect((await room.prepare(job)).limits).toEqual({ memoryBytes: 1000, processes: 100 });
    const plan = await createPlugins({ ...options, files }).prepare({
      ...job,
      request: jobRequest({ plugin: 'echo' }),
    });
    expect(plan.limits).toEqual({ memoryBytes: 2 ** 20, processes: 100, openFiles: 64 });
  });

  it.each([
    ['', 'wait'],
    ['driver = "puppet"', 'leave'],
    ['driver = "puppet"\nleftovers = "wait"', 'wait'],
    ['leftovers = "kill"', 'kill'],
  ])('the plan for a job says what happens to leftovers: %j: %s', async (lines, rule) => {
    const files = { find: () => ({ ...source, manifestText: `summary = "x"\n${lines}` }), names: () => ['echo'] };
    const plugin = createPlugins({ ...options, files });
    expect((await plugin.prepare({ ...job, request: jobRequest({ plugin: 'echo' }) })).leftovers).toBe(rule);
  });

  it('the plan for a job has the lower of the two limits where the plugin says so', async () => {
    const own = 'summary = "x"\nmax_memory = "1MiB"\nmax_cpu = "1m"\nmax_processes = 7\nlower_limits_win = true';
    const files = { find: () => ({ ...source, manifestText: own }), names: () => ['echo'] };
    const plan = await createPlugins({ ...options, files, limits: { memoryBytes: 1000, cpuMs: 90_000 } }).prepare({
      ...job,
      request: jobRequest({ plugin: 'echo' }),
    });
    expect(plan.limits).toEqual({ memoryBytes: 1000, processes: 7, cpuMs: 60_000 });
  });

  it('the plan for a process with many jobs leaves it the processor time that they need together', async () => {
    const files = (text: string) => ({
      find: () => ({ ...source, manifestText: `summary = "x"\nmode = "persistent"\n${text}` }),
      names: () => ['echo'],
    });
    const limitsWith = async (text: string) =>
      (
        await createPlugins({ ...options, files: files(text), limits: { cpuMs: 60_000 } }).prepare({
          ...job,
          request: jobRequest({ plugin: 'echo' }),
        })
      ).limits;
    expect(await limitsWith('')).toEqual({});
    expect(await limitsWith('max_cpu = "1h"')).toEqual({ cpuMs: 3_600_000 });
  });

  it('the plan for a job takes no argument from the job’s environment, which the manifest has not checked', async () => {
    const env = { TRIGGER_ARG_TEXT: 'ABC', TRIGGER_ARG_OTHER: 'x', EXTRA: '1' };
    const plan = await room.prepare({ ...job, request: jobRequest({ plugin: 'echo', env }) });
    expect(plan.env).not.toHaveProperty('TRIGGER_ARG_TEXT');
    expect(plan.env).not.toHaveProperty('TRIGGER_ARG_OTHER');
    expect(plan.env).toMatchObject({ EXTRA: '1', TRIGGER_ARG_FILE_NAME: 'here' });
  });

  it.each(['max_cpu = "500ms"', 'max_memory = "much"', 'max_memory = 0', 'max_processes = 0', 'max_open_files = 1.5'])(
    '%s is no limit',
    (line) => {
      expect(() => readManifest({ ...source, manifestText: `summary = "x"\n${line}` })).toThrow(/Expected|Invalid/);
    },
  );

  it('a noop job of a plugin without noop mode is refused before it is queued', () => {
    expect(() => room.check(jobRequest({ plugin: 'echo', noop: true }))).toThrow(/no noop mode/);
  });
});

describe('the end of a run', () => {
  const ending = (code: number, terms?: RunTerms): RunExit => ({
    startedAt: 1,
    finishedAt: 2,
    times: { realS: 1, userS: 0, systemS: 0 },
    exit: { kind: 'exited', code },
    cause: 'itself',
    outputBytes: 0,
    ...(terms === undefined ? {} : { terms }),
  });
  const job: RunningJob = {
    id: 3,
    request: jobRequest({ plugin: 'echo' }),
    command: 'echo',
    firings: [],
    attempt: 1,
    folder: '/j/3',
    enqueuedAt: 0,
    state: 'running',
    startedAt: 1,
  };
  const manifestText = 'summary = "x"\ndriver = "puppet"\nsuccess_exit_codes = [0, 2]';
  let isGone = false;
  const room = createPlugins({
    files: {
      find: () => {
        if (isGone) throw new TriggerdError('plugin-not-found', 'gone');
        return { ...source, manifestText };
      },
      names: () => [],
    },
    puppetDriver: {
      ...execDriver,
      conclude: async (_job, { exit }, { argv }) => {
        if (exit.kind === 'exited' && exit.code === 3) throw new Error('EACCES: the report');
        return { kind: 'result', result: { kind: 'succeeded', exitCode: 0 }, details: { argv } };
      },
    },
    node: 'lb01',
    baseEnv: {},
    stateFolder: '/s/plugins',
    graceMs: 1000,
    maxOutputBytes: 10,
    defaultTimeoutMs: null,
    limits: {},
    contextOf: () => '{}',
    proofOf: () => undefined,
    now: () => 0,
  });
  const details = { argv: ['/p/echo/echo'] };

  it('an exit code of retry_exit_codes becomes 75, with the real one in the reason', async () => {
    const terms: RunTerms = { driver: 'exec', successExitCodes: [0], retryExitCodes: [6], argv: [] };
    expect(await room.conclude(job, ending(6, terms))).toMatchObject({
      result: { kind: 'failed', exitCode: 75, reason: 'exit code 6: to be tried again' },
    });
    expect(await room.conclude(job, ending(7, terms))).toMatchObject({ result: { kind: 'failed', exitCode: 7 } });
    const { retryExitCodes: _, ...before } = terms;
    expect(await room.conclude(job, ending(6, before))).toMatchObject({ result: { kind: 'failed', exitCode: 6 } });
  });

  it('a run’s result needs no plugin: driver, exit codes and command line are remembered with the plan', async () => {
    const { terms } = await room.prepare(job);
    isGone = true;
    expect(await room.conclude(job, ending(2, terms))).toMatchObject({ result: { kind: 'succeeded' }, details });
    isGone = false;
  });

  it('a run from a runner that remembered nothing is judged by the present plugin, or by the exit code alone', async () => {
    expect(await room.conclude(job, ending(2))).toMatchObject({ result: { kind: 'succeeded' }, details });
    isGone = true;
    expect(await room.conclude(job, ending(0))).toMatchObject({ result: { kind: 'succeeded', exitCode: 0 } });
    expect(await room.conclude(job, ending(2))).toMatchObject({ result: { kind: 'failed', exitCode: 2 } });
    isGone = false;
  });

  it('a run’s result names its leftovers, also when nothing else is known', async () => {
    const leftovers = { fate: 'left', total: 1, processes: [{ pid: 7, name: 'java' }] } as const;
    const left = (code: number) => room.conclude(job, { ...ending(code), leftovers });
    expect(await left(0)).toMatchObject({ details: { ...details, leftovers } });
    expect(await left(3)).toMatchObject({ details: { missing: 'EACCES: the report', leftovers } });
  });

  it('a run’s result is its exit code when the driver’s facts cannot be read', async () => {
    const result = { kind: 'failed', exitCode: 3 };
    expect(await room.conclude(job, ending(3))).toMatchObject({ result, details: { missing: 'EACCES: the report' } });
  });
});

describe('what a firing may start', () => {
  const decide = createFiringJob({ allow: ['puppet', 'echo/echo'] });

  it('a firing that names no plugin starts puppet', () => {
    expect(decide(firing())).toMatchObject({
      request: { plugin: 'puppet', source: 'firing', queue: 'default', argv: [] },
    });
  });

  it('a firing’s plugin is compared by canonical name', () => {
    expect(decide(firing({ job: { plugin: 'echo', args: {} } }))).toMatchObject({ request: { plugin: 'echo' } });
  });

  it.each(['command', 'command/command', '../../bin/sh', 'constructor'])(
    'a firing is refused with a reason: %s',
    (plugin) => {
      expect(decide(firing({ job: { plugin, args: {} } }))).toMatchObject({
        refusal: expect.stringMatching(/allow|plugin-name-invalid/),
      });
    },
  );
});
