import { describe, expect, it } from 'vitest';
import packaged from '../../../packaging/triggerd.toml?raw';
import triggerfs from '../../fixtures/config/0.1-triggerfs.toml?raw';
import { parse, refusal } from './parse.ts';

const fixtures = import.meta.glob('../../fixtures/config/*', { query: '?raw', import: 'default', eager: true });

describe('defaults', () => {
  it('defaults are complete without a file', () => {
    const { config, file } = parse('', { file: null });
    expect(file).toBeNull();
    expect(config.node).toEqual({
      state_dir: '/var/lib/triggerd',
      socket: '/run/triggerd/triggerd.sock',
      takeover: 'auto',
    });
    expect(config.etcd).toMatchObject({
      endpoints: ['http://127.0.0.1:2379'],
      prefix: '/trigger',
      request_timeout: 5000,
    });
    expect(config.watch).toEqual({ enabled: true, run_cmd: 'puppet agent --test', allow: ['puppet'] });
    expect(config.jobs).toEqual({ grace: 10_000, max_output: 64 * 2 ** 20, max_attempts: 3 });
    expect(config.history).toEqual({
      keep: 1000,
      max_age: 30 * 86_400_000,
      ids: 90 * 86_400_000,
      firings_keep: 10_000,
      requests_max_age: 7 * 86_400_000,
      requests_size: 64 * 2 ** 20,
      firings_max_age: 30 * 86_400_000,
    });
    expect(config.sweeper).toEqual({
      enabled: true,
      interval: 30_000,
      abandoned: 600_000,
      upkeep: 'auto',
      compact_after: 600_000,
    });
    expect(config.registry).toEqual({
      max_changes: 600,
      max_change_bytes: 4 * 2 ** 20,
      max_arguments: 16 * 2 ** 10,
      max_team: 16 * 2 ** 20,
    });
  });

  it('the package’s defaults have an embedded etcd on a port that Debian’s etcd leaves free', () => {
    const text = packaged;
    const { etcd } = parse(text).config;
    expect(etcd).toMatchObject({ embedded: true, embedded_port: 12_379 });
    // What a fleet is told to write instead is right, too.
    const fleet = parse(
      text.replace(/^embedded.*$/gm, '').replace(/^#(?=(endpoints|ca_file|cert_file|key_file) = )/gm, ''),
    );
    expect(fleet.config.etcd).toMatchObject({
      embedded: false,
      ca_file: expect.any(String),
      key_file: expect.any(String),
    });
  });

  it('defaults have the queues default and requests beside any other queues', () => {
    const { queues } = parse('[queues.other]\nslots = 7').config;
    expect(queues).toEqual({
      default: { slots: 1, max_queued: 100_000 },
      requests: { slots: 4, max_queued: 100_000 },
      other: { slots: 7, max_queued: 100_000 },
    });
  });

  it('defaults leave http and broker out until their section exists, even an empty one', () => {
    expect(parse('').config).not.toHaveProperty('http');
    expect(parse('[http]\n[broker]').config).toMatchObject({
      http: { listen: '127.0.0.1:8080' },
      broker: { listen: 'tcp://0.0.0.0:5555' },
    });
  });

  it('defaults are frozen with everything else', () => {
    const { config } = parse('[watch]\nallow = ["a"]');
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.queues.default)).toBe(true);
    expect(Object.isFrozen(config.watch.allow)).toBe(true);
  });
});

describe('samples', () => {
  it.each(Object.entries(fixtures))('the sample %s of an earlier release still loads', (_, text) => {
    expect(() => parse(text)).not.toThrow();
  });

  it('the samples of triggerFS’ documentation yield teams, workers and tokens', () => {
    const { config } = parse(triggerfs);
    expect(config.main).toEqual({ team: 'team1', identity: 'hp', secret: 'a-long-password' });
    expect(config.workers).toMatchObject({
      pluginspath: '/home/hp/plugins',
      team1: { demo01: { token: '9b1bd278-e645-4eec-bffb-0587ad84534e' } },
    });
  });
});

describe('unknown keys', () => {
  it('unknown keys are refused with file, path and nearest name', () => {
    const error = refusal('[etcd]\nendpoint = ["http://a:1"]');
    expect(error.code).toBe('config-invalid');
    expect(error.message).toBe('/etc/t.toml: etcd.endpoint: unknown key, did you mean “endpoints”?');
  });

  it('unknown keys are refused in sections with names of the user’s choice', () => {
    expect(refusal('[queues.nightly]\nslot = 1').message).toContain(
      'queues.nightly.slot: unknown key, did you mean “slots”?',
    );
  });

  it('unknown keys get no suggestion when no key is similar', () => {
    expect(refusal('[node]\nfrobnicate = 1').message).toBe('/etc/t.toml: node.frobnicate: unknown key');
  });

  it('an unknown key on the top level counts as a section', () => {
    expect(refusal('[wacth]').message).toContain('wacth: unknown section, did you mean “watch”?');
  });

  it.each(['__proto__', 'constructor', 'toString', 'a b', '../x', ''])('a queue may not be called “%s”', (name) => {
    expect(refusal(`[queues.${JSON.stringify(name)}]\nslots = 1`).message).toContain('not a name');
    expect(Object.hasOwn(Object.prototype, 'slots')).toBe(false);
  });

  it('keys are refused when they are called __proto__', () => {
    expect(refusal('[node]\n__proto__ = { name = "x" }').message).toContain('node.__proto__: unknown key');
  });
});

describe('values of the wrong kind', () => {
  it.each([
    ['[etcd]\nrequest_timeout = 5', 'etcd.request_timeout: expected a duration such as "10s", "5m" or "1h30m", got 5'],
    ['[etcd]\nrequest_timeout = "0s"', 'got "0s"'],
    ['[etcd]\nendpoints = "http://a:1"', 'etcd.endpoints: expected a list of addresses'],
    ['[etcd]\nendpoints = []', 'got []'],
    ['[etcd]\nendpoints = ["a:1"]', 'got ["a:1"]'],
    [
      '[etcd]\nendpoints = ["http://a:1", "http://a:1/v3"]',
      'got ["http://a:1", "http://a:1/v3"]: an address has no path',
    ],
    [
      '[broker]\nlisten = "tcp://a"',
      'expected an address such as "tcp://0.0.0.0:5555", got "tcp://a": the port is missing',
    ],
    ['[broker]\nadvertise = "tcp://a:0"', 'got "tcp://a:0": the port must be a number up to 65535'],
    ['[main]\nbroker = "tcp://[::1:5555"', 'got "tcp://[::1:5555": the host must be a name'],
    ['[etcd]\nprefix = "/"', 'expected a key prefix'],
    ['[etcd]\nembedded = "true"', 'etcd.embedded: expected true or false, got "true"'],
    ['[queues.default]\nslots = 0', 'expected a whole number from 1 to 1024, got 0'],
    ['[queues.default]\nslots = 1.5', 'got 1.5'],
    ['[jobs]\nmax_output = "64 parsecs"', 'expected a number of bytes or a size such as "64MiB"'],
    ['[node]\nname = "LB01"', 'expected a host name in lower case, got "LB01"'],
    ['[node]\nstate_dir = "var"', 'expected an absolute path, got "var"'],
    [`[node]\nsocket = "/${'x'.repeat(107)}"`, 'expected an absolute path of at most 107 bytes'],
    ['[watch]\nallow = ["../x"]', 'expected a list of plugin names, got ["../x"]'],
    ['[log]\nlevel = "loud"', 'expected "trace" or "debug"'],
    ['[http]\nlisten = "127.0.0.1"', 'expected host:port'],
    ['etcd = 3', 'etcd: expected a section, got 3'],
    ['[history]\nmax_age = 1979-05-27', 'got a date'],
    ['[workers.team1.demo01]', 'workers.team1.demo01.token: expected a text, got nothing'],
  ])('%j is reported with key, expected and found value', (text, message) => {
    expect(refusal(text).message).toContain(message);
  });

  it('values of the wrong kind are reported without secrets', () => {
    const { message, details } = refusal('[main]\nsecret = ["hunter2"]\njwt = 12345678');
    expect(message).toContain('main.secret: expected a text, got ********');
    expect(JSON.stringify([message, details])).not.toMatch(/hunter2|12345678/);
  });

  it.each([
    '[etcd]\nendpoints = ["http://root:hunter2@a:1"]',
    '[etcd]\nendpoints = ["root:hunter2@a:1"]',
    '[puppetdb]\nurl = "https://root:hunter/2@a:1"',
    '[main]\nbroker = ["tcp://a:1", "tcp://root:hunter2@a:1"]',
    '[broker]\nlisten = "tcp://root:hunter2@a:1"',
    '[http]\nlisten = "root:hunter2@a:1"',
  ])('values of the wrong kind never show the password in %j, and say where it belongs', (text) => {
    const { message, details } = refusal(text);
    expect(message).toContain('an address has no user and no password; etcd’s go into username and password_file');
    expect(JSON.stringify([message, details])).not.toMatch(/hunter|root/);
  });

  it('addresses have one canonical form in the code, however they are written', () => {
    const { config } = parse(
      '[etcd]\nendpoints = ["http://127.0.0.1:2379/", "https://ETCD2"]\n[main]\nbroker = "tcp://[::1]:5555/"\nbroker_key = []',
      { overrides: { 'main.broker_key': 'x'.repeat(40) } },
    );
    expect(config.etcd.endpoints).toEqual(['http://127.0.0.1:2379', 'https://etcd2:443']);
    expect(config.main.broker).toEqual(['tcp://[::1]:5555']);
  });

  it('problems are reported all at once, with unknown keys and variables', () => {
    const error = refusal('[node]\nnam = "x"\n[etcd]\nprefix = 3', { env: { TRIGGERD_WATCH_ENABLED: 'yes' } });
    expect(error.message).toBe(
      [
        '/etc/t.toml:',
        '  node.nam: unknown key, did you mean “name”?',
        '  etcd.prefix: expected a key prefix such as "/trigger", got 3',
        '  watch.enabled ($TRIGGERD_WATCH_ENABLED): expected true or false, got "yes"',
      ].join('\n'),
    );
    expect(error.details['problems']).toHaveLength(3);
  });
});

describe('values that do not fit together', () => {
  it.each([
    ['cert_file = "/c"', 'etcd.key_file: needed with cert_file'],
    ['password_file = "/p"', 'etcd.username: needed with password_file'],
    ['ca_file = "/ca"', 'etcd.endpoints: http:// is not encrypted'],
    ['embedded = true\nendpoints = ["https://etcd:2379"]', 'etcd.endpoints: an embedded etcd listens on https://'],
    ['embedded = true\nendpoints = ["http://0.0.0.0:2379"]', 'etcd.endpoints: an embedded etcd listens on https://'],
    [
      'embedded = true\nendpoints = ["https://127.0.0.1:2379"]\nca_file = "/ca.pem"',
      'etcd.ca_file: an embedded etcd makes',
    ],
  ])('[etcd] %s is refused by itself', (line, message) => {
    expect(refusal(`[etcd]\n${line}`).message).toContain(message);
  });
});

describe('what mounts does not wait for itself:', () => {
  it.each([
    ['[triggerfs]\nmountpoint = "/mnt"\nlogfile = "/mnt/alarms/log"', 'triggerfs.logfile'],
    ['[triggerfs]\nmountpoint = "/var/lib/triggerd"', 'node.state_dir'],
    ['[triggerfs]\nmountpoint = "/"\n[node]\nsocket = "/s"', 'node.socket'],
    ['[triggerfs]\nmountpoint = "/mnt/"\n[workers]\npluginspath = "/mnt/../mnt/p"', 'workers.pluginspath'],
  ])('a mount that would wait for itself is refused: %j', (lines, key) => {
    expect(refusal(lines).message).toContain(`${key}: is inside of [triggerfs] mountpoint`);
  });

  it('a mountpoint beside the daemon’s folders, or in them, is accepted', () => {
    for (const mountpoint of ['/var/lib/triggerd2', '/var/lib/triggerd/mnt', 'mnt'])
      expect(parse(`[triggerfs]\nmountpoint = "${mountpoint}"`).config.triggerfs.mountpoint).toBe(mountpoint);
  });
});

it.each(['   ', "sh -c 'echo", 'a "b', ''])(
  'the run_cmd %j, which would run something else, is refused',
  (runCommand) => {
    expect(refusal(`[watch]\nrun_cmd = ${JSON.stringify(runCommand)}`).message).toContain('watch.run_cmd');
  },
);

describe('syntax errors', () => {
  it('syntax errors have file, line and column, and show nothing of the file', () => {
    const error = refusal('[main]\nsecret = "hunter2\n');
    expect(error.code).toBe('config-syntax');
    expect(error.message).toMatch(/^\/etc\/t\.toml:2:\d+: /);
    expect(error.message).not.toContain('hunter2');
    expect(error.details).toMatchObject({ file: '/etc/t.toml', line: 2 });
  });

  it('hostile files end in syntax errors', () => {
    expect(refusal(`a = ${'['.repeat(50_000)}`).code).toBe('config-syntax');
    expect(refusal(`[${Array(3_000).fill('a').join('.')}]`).message).toContain('nested deeper than 32 levels');
    expect(refusal(`#${'x'.repeat(2 ** 20)}`).message).toContain('larger than 1 MiB');
    expect(refusal('a = 9007199254740993').code).toBe('config-syntax');
  });
});
