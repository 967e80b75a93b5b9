import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { stringify } from 'smol-toml';
import { afterAll, describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/config.ts';
import { freePort } from '../support/etcd.ts';
import { type Answer, createNode, root, type TestNode } from '../support/node.ts';
import { type EtcdPlace, test } from '../support/test.ts';

const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/;

describe('management without the interactive console', () => {
  let etcd: EtcdPlace;
  let node: TestNode;
  let port: number;

  test.beforeAll(async ({ etcd: place }) => {
    etcd = place;
    port = await freePort();
    const config = `[broker]\nlisten = "tcp://127.0.0.1:${port}"`;
    node = createNode({ name: 'broker01', etcd, config });
    await node.start();
    const first = await admin('hp', 'a long password');
    expect(first).toEqual({ stdout: '', stderr: 'created team team1; hp is its admin', exitCode: 0 });
  });
  afterAll(async () => {
    await node?.remove();
  });

  const run = async (program: string, args: readonly string[], input = ''): Promise<Answer> => {
    const env = { TRIGGERD_CONFIG: node.configFile, HOME: node.dir };
    const { stdout, stderr, exitCode } = await execa(join(root, 'bin', program), args, { reject: false, input, env });
    return { stdout, stderr, exitCode };
  };
  const admin = (identity: string, password: string) =>
    run('trigger', ['admin', 'init', '--team', 'team1', '--identity', identity, '--password-stdin'], `${password}\n`);
  const cli = (args: readonly string[], input?: string) =>
    run('triggerfs-cli', ['-socket', node.socket, ...args], input);

  it('the first set-up of the registry needs a password that nobody can guess at once', async () => {
    expect(await admin('eve', 'too short')).toEqual({
      stdout: '',
      stderr: expect.stringContaining('secret must have at least 12 characters'),
      exitCode: 2,
    });
    expect(await admin('eve', 'long enough, though')).toEqual({
      stdout: '',
      stderr: expect.stringContaining('teams and users exist already'),
      exitCode: 1,
    });
    expect(await node.trigger('admin', 'init', '--team', 't', '--identity', 'i')).toMatchObject({
      stderr: expect.stringContaining('send it on stdin, with --password-stdin'),
      exitCode: 2,
    });
  });

  it('trigger registry reads the documentation’s statements from stdin and prints what they show', async () => {
    const { stdout, stderr, exitCode } = await cli(
      [],
      `# the walk-through of the documentation
configure
set workers identity demo01
show workers
set services name demoservice
set services demoservice workers add demo01
show services
set directory /newtrigger
set trigger name /newtrigger/demotrigger
set trigger demotrigger plugin command/command
set trigger demotrigger service attach demoservice
show triggers
exit
`,
    );
    expect([stderr, exitCode]).toEqual(['', 0]);
    const lines = stdout
      .replaceAll(/\w{3}, \d\d \w{3} \d{4} [\d:]{8} UTC/g, 'Mon, 30 Apr 2018 18:45:30 UTC')
      .replaceAll(/^Time: [\d.]+m?s$/gm, 'Time: 545.092072ms')
      .replace(uuid, '9b1bd278-e645-4eec-bffb-0587ad84534e')
      .split('\n');
    expect(lines).toEqual(
      `Notice: The token of worker demo01 is 9b1bd278-e645-4eec-bffb-0587ad84534e. It is not shown again; it belongs into [workers.team1.demo01] of the worker’s configuration.
  id | identity | description |    state     |  token   | owner |            created            |            updated
+----+----------+-------------+--------------+----------+-------+-------------------------------+-------------------------------+
   1 | demo01   |             | DISCONNECTED | (hidden) | hp    | Mon, 30 Apr 2018 18:45:30 UTC | Mon, 30 Apr 2018 18:45:30 UTC
+----+----------+-------------+--------------+----------+-------+-------------------------------+-------------------------------+
(1 rows)

Time: 545.092072ms
Notice: this service has algorithm roundrobin. Roundrobin is handled by the broker. Any newly added worker to this service should reannounce its services.
  id |    name     | description | timeout | algorithm  | triggers | workers | visibility | owner |            created            |            updated
+----+-------------+-------------+---------+------------+----------+---------+------------+-------+-------------------------------+-------------------------------+
   1 | demoservice |             |         | roundrobin |          | demo01  | local      | hp    | Mon, 30 Apr 2018 18:45:30 UTC | Mon, 30 Apr 2018 18:45:30 UTC
+----+-------------+-------------+---------+------------+----------+---------+------------+-------+-------------------------------+-------------------------------+
(1 rows)

Time: 545.092072ms
  id |    name     | description |     plugin      | hits | owner | visibility |            created            |            updated
+----+-------------+-------------+-----------------+------+-------+------------+-------------------------------+-------------------------------+
   2 | demotrigger |             | command/command |    0 | hp    | local      | Mon, 30 Apr 2018 18:45:30 UTC | Mon, 30 Apr 2018 18:45:30 UTC
+----+-------------+-------------+-----------------+------+-------+------------+-------------------------------+-------------------------------+
(1 rows)

Time: 545.092072ms`.split('\n'),
    );
  });

  it('trigger registry --json prints JSON for other programs', async () => {
    const { stdout } = await cli(['-json', '-c', 'set services name reports timeout 30s', '-c', 'show services']);
    const [added, services] = stdout.split('\n').map((line) => JSON.parse(line));
    expect(added).toMatchObject([{ name: 'reports', timeout: '30s', retry: 'if-unstarted' }]);
    expect(services.map(Object.keys)[0].join(' ')).toBe(
      'id name description timeout algorithm triggers workers visibility owner created updated',
    );
  });

  it('trigger registry stops at the first line that is wrong', async () => {
    const failed = await cli([], 'show services\nset servces name x\nset services name y\n');
    expect(failed.exitCode).toBe(1);
    expect(failed.stderr).toMatch(
      /^triggerfs-cli: line 2, column 5: “servces” does not fit here; did you mean “services”\?/,
    );
    const shown = await cli(['-c', 'show services y']);
    expect([shown.exitCode, shown.stderr]).toEqual([
      1,
      'triggerfs-cli: there is no service “y”\n  Choose a name that `… show` lists.',
    ]);
  });

  it.each([
    ['exit\n', 0],
    ['bogus\n', 1],
  ])('trigger registry ends at %j while its input is still open', async (line, code) => {
    const child = execa(join(root, 'bin/triggerfs-cli'), ['--socket', node.socket], { reject: false });
    child.stdin.write(line);
    expect((await child).exitCode).toBe(code);
  });

  it('trigger registry names the daemon that it cannot reach', async () => {
    const [noDaemon, noBroker, help] = await Promise.all([
      run('triggerfs-cli', ['--socket', '/nonexistent/socket', '--team', 't', '-c', 'show workers']),
      run('triggerfs-cli', ['-c', 'show workers']),
      run('triggerfs-cli', ['-c', 'help']),
    ]);
    expect([noDaemon.exitCode, noBroker.exitCode, help.exitCode]).toEqual([3, 2, 0]);
    expect(noDaemon.stderr).toContain('there is no socket /nonexistent/socket');
    expect(noBroker.stderr).toContain('[main] broker is missing');
    expect(help.stdout).toContain('show workers');
  });

  it('trigger prints a new worker’s section of the configuration, and its token nowhere else', async () => {
    const added = await node.trigger('worker', 'add', 'demo02', '--description', 'rack 7');
    expect([added.stderr, added.exitCode]).toEqual(['', 0]);
    const { config } = parseConfig({ file: { path: 'x.toml', text: added.stdout }, env: {} });
    const { token } = (config.workers['team1'] as Record<string, { token: string }>)['demo02'] ?? {};
    expect(token).toMatch(uuid);
    const rotated = await node.json<{ token: string }>('worker', 'rotate', 'demo02');
    expect(rotated.token).toMatch(uuid);
    expect(rotated.token).not.toBe(token);
    const shown = await node.trigger('worker', 'show', 'demo02');
    expect(shown.stdout).toMatch(/^Identity: +demo02$/m);
    expect(shown.stdout).toMatch(/^Token: +\(hidden\)$/m);
  });

  it('every statement of the console has a command of trigger for scripts', async () => {
    const trigger = async (line: string) => {
      const { stderr, exitCode } = await node.trigger(...line.split(' '));
      expect([line, stderr, exitCode]).toEqual([line, '', 0]);
    };
    await trigger('service add pages --algorithm mirror --visibility team --retry always --timeout 1h30m');
    await trigger('directory add /alarms --mode 0750');
    await trigger('definition add /alarms/disk --service pages --plugin log --arg a=1 --arg b=2 --framing line');
    await trigger(
      'definition set disk --remove-arg a --arg c=3 --move-to /alarms/disks --max-message 64KiB --durable no --deadline 1h --partial drop',
    );
    expect(await node.json('definition', 'show', '/alarms/disks')).toMatchObject({
      service: 'pages',
      args: { b: '2', c: '3' },
      framing: 'line',
      max_message: 65_536,
      durable: false,
      deadline: '1h',
      partial: 'drop',
    });
    await trigger('definition set disks --no-service --no-plugin');
    expect(await node.json('service', 'show', 'pages')).toMatchObject({
      algorithm: 'mirror',
      visibility: 'team',
      retry: 'always',
      timeout: '1h30m',
      triggers: [],
    });
    await trigger('definition delete disks');
    await trigger('directory delete /alarms');
    await trigger('service delete pages');
  });

  it('a new user’s password is read from stdin and never from the command line', async () => {
    const trigger = (args: string, input: string) => run('trigger', args.split(' '), input);
    const [short, added, untold] = await Promise.all([
      trigger('user add bob --password-stdin', 'short\n'),
      trigger('user add ada --role admin --password-stdin', 'a longer password\n'),
      trigger('user add eve', ''),
    ]);
    expect([short.exitCode, added.exitCode, untold.exitCode]).toEqual([2, 0, 2]);
    expect(short.stderr).toContain('12 characters');
    expect(untold.stderr).toContain('--password-stdin');
    await node.trigger('user', 'set', 'ada', '--disable');
    expect(await node.json('user', 'show', 'ada')).toMatchObject({ role: 'admin', state: 'disabled' });
    const overheard = await cli(['-c', "set users identity eve secret 'another password'"]);
    expect([overheard.exitCode, overheard.stderr]).toMatchObject([
      1,
      expect.stringContaining('all users of this machine'),
    ]);
    const console = await cli(['-c', 'set users identity eve', '--password-stdin'], 'another password\n');
    expect([console.stderr, console.exitCode]).toEqual(['', 0]);
  });

  it('a command needs --team where there are several teams, and finds a member’s own team', async () => {
    await node.trigger('team', 'add', 'team2', '--description', 'the others');
    const unclear = await node.trigger('service', 'show');
    expect([unclear.exitCode, unclear.stderr]).toMatchObject([2, expect.stringContaining('there are team1, team2')]);
    expect(await node.json('service', 'show', '--team', 'team2')).toEqual([]);
    await node.trigger('team', 'invite', 'team2', 'hp', '--role', 'admin');
    expect(await node.json('team', 'show', 'team2')).toMatchObject({ members: ['hp'], description: 'the others' });
    const team2 = await node.trigger('user', 'show', '--team', 'team2');
    expect(team2.stdout).toMatch(/^ID +IDENTITY +ROLE.*^\d+ +hp +admin +active +team1$/ms);
  });

  it('a command uses the bus, as the user of [main]', async () => {
    const home = async (user: string, secret: string, at = port) => {
      const { stdout: key } = await node.trigger('broker', 'key');
      const file = join(node.dir, `${user}-${secret.length}-${at}.toml`);
      const main = { team: 'team1', identity: user, secret, broker: `tcp://127.0.0.1:${at}`, broker_key: key };
      writeFileSync(file, stringify({ main }), { mode: 0o600 });
      return (args: readonly string[], input?: string) => run('triggerfs-cli', ['-config', file, ...args], input);
    };
    const admin = await home('hp', 'a long password');
    const made = await admin(
      ['-json'],
      "set users identity ed secret 'eds long password'\nset workers identity mine\n",
    );
    const [ed, mine] = made.stdout.split('\n').map((line) => JSON.parse(line)[0]);
    expect([made.stderr, ed.role, mine.owner, uuid.test(mine.token)]).toEqual(['', 'member', 'hp', true]);

    const member = await home('ed', 'eds long password');
    const denied = await member(['-keep-going', '-c', 'show workers mine', '-c', 'delete worker mine']);
    expect([denied.exitCode, denied.stdout]).toMatchObject([1, expect.stringContaining('identity | mine')]);
    expect(denied.stderr).toContain('statement 2: worker “mine” belongs to hp');
    const request = ['-c', 'request service mine plugin command command uptime'];
    const [hidden, idle] = await Promise.all([member(request), admin(request)]);
    expect([hidden.exitCode, hidden.stderr]).toMatchObject([1, expect.stringContaining('there is no service “mine”')]);
    expect([idle.exitCode, idle.stderr]).toMatchObject([3, expect.stringContaining('no worker of mine')]);

    const stranger = await (await home('ed', 'a wrong password'))(['-c', 'show workers']);
    expect([stranger.exitCode, stranger.stdout]).toEqual([1, '']);
    expect(stranger.stderr).toContain('wrong team, identity or password');
    const nobody = await (await home('hp', 'a long password', await freePort()))([
      '-keep-going',
      '-c',
      'show workers',
      '-c',
      'show teams',
    ]);
    expect([nobody.exitCode, nobody.stderr.match(/tcp:/g)?.length]).toEqual([3, 1]);
  });

  it('a wrong command line is named in the error', async () => {
    const wrong = [
      ['service add s --algorithm quickest', 'Expected one of roundrobin, serial, mirror'],
      ['service set s --timeout soon', 'Expected a duration such as 10s'],
      ['definition add /x --mode 9', 'Expected permission bits such as 0644'],
      ['service set demoservice --team team1', 'there is nothing to change'],
      ['team set team1', 'there is nothing to change'],
      ['worker add', "missing required argument 'worker'"],
      ['history --limit 0', 'Expected a whole number, at least 1'],
    ] as const;
    const answers = await Promise.all(wrong.map(([line]) => node.trigger(...line.split(' '))));
    expect(answers).toMatchObject(
      wrong.map(([, message]) => ({ exitCode: 2, stderr: expect.stringContaining(message) })),
    );
  });
});
