import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startEtcd, type TestEtcd } from '../support/etcd.ts';
import { createNode, root, type TestNode } from '../support/node.ts';

/** The same words to task-spooler and to `trigger tsp`: what both print is compared. */
describe('trigger tsp', () => {
  let etcd: TestEtcd;
  let node: TestNode;
  let bin: string;
  let sockets = 0;

  beforeAll(async () => {
    etcd = await startEtcd();
    node = createNode({ name: 'tsp01', etcd: [etcd.endpoint], config: '[jobs]\ngrace = "1s"\n' });
    await node.start();
    bin = join(node.dir, 'bin');
    mkdirSync(bin);
    const ours = `#!/bin/sh\nexec ${join(root, 'bin/trigger')} --config ${node.configFile} tsp "$@"\n`;
    writeFileSync(join(bin, 'ts'), ours, { mode: 0o755 });
  });
  beforeEach(async () => {
    await ts('-K');
  });
  afterAll(async () => {
    await node?.remove();
    await etcd?.stop();
  });

  const ts = async (...words: string[]) => {
    const { stdout, stderr, exitCode } = await execa(join(bin, 'ts'), words, { reject: false, stdin: 'ignore' });
    return { stdout, stderr, exitCode };
  };
  /** A script in which `ts` is one of both: what it prints, with paths, pids and times made equal. */
  const run = async (program: 'tsp' | 'ts', script: string, env = {}): Promise<string> => {
    // A server that is ended may still take the next call: each script has one of its own, and ends it.
    const socket = join(node.dir, `tsp-socket-${sockets}`);
    sockets += 1;
    const prelude = `ts() { ${program === 'tsp' ? 'tsp' : join(bin, 'ts')} "$@"; }\ntrap 'ts -K' EXIT\n`;
    const { all = '' } = await execa('bash', ['-c', `exec 2>&1\n${prelude}${script}`], {
      all: true,
      reject: false,
      stdin: 'ignore',
      cwd: node.dir,
      env: { TS_SOCKET: socket, GATE: `${socket}-gate`, TMPDIR: node.dir, ...env },
    });
    return all
      .replaceAll(/\S*(?:ts-out\.\w{6}|jobs\/\d+\/output)(?: +)/g, 'FILE ')
      .replaceAll(/\S*(?:ts-out\.\w{6}|jobs\/\d+\/output)/g, 'FILE')
      .replaceAll(/\d+\.\d\d\/\d+\.\d\d\/\d+\.\d\d/g, 'T/T/T')
      .replaceAll(/\d+\.\d{6}s/g, 'Ts')
      .replaceAll(/(time: ).*/g, '$1AT');
  };
  /** A job that runs until there is the script's gate. */
  const gated = `ts sh -c 'until [ -e $GATE ]; do sleep 0.1; done'; until [ "$(ts -s 0)" = running ]; do sleep 0.1; done`;
  const compare = async (script: string, env = {}): Promise<string> => {
    const [theirs, ours] = [await run('tsp', script, env), await run('ts', script, env)];
    expect(ours).toBe(theirs);
    return ours;
  };

  it('numbers from 0, prints its list and information, and exits with the level of the job', async () => {
    const printed = await compare(`
      ts -f true; ts -L lab sh -c 'exit 6'; ts -w; echo "level $?"
      ts -f no-such-program; echo "level $?"
      ts; ts -i 1; ts -i 2; ts -s; ts -s 1; ts -o 1; ts -S; ts -w 1; echo "level $?"
      ts echo hello; ts -w; ts -c; ts -t 3; ts -c 1; echo "level $?"
      ts -C; ts -l`);
    expect(printed).toContain('level 6');
    expect(printed).toMatch(/^1 +finished +FILE 6 +T\/T\/T \[lab\]sh -c exit 6$/m);
  });

  it('-d and -D run a job only if another one ended well', async () => {
    const printed = await compare(`
      ts true; ts -d true; ts false; ts -d true; ts -D 0 echo well; ts -D 2 true; ts -w 4; ts -w 5; echo "level $?"
      ts; ts -c 3; echo "level $?"; ts -D 77 true; ts -w; ts -l`);
    expect(printed).toMatch(/^3 +skipped +\(no output\) +\[2\]&& true$/m);
  });

  it('-u, -U and -r change the queue, and refuse in its words', async () => {
    await compare(`
      ${gated}; ts echo a; ts echo b; ts echo c; ts -u; ts -U 1-2; ts -r 3; ts -s 3; echo "level $?"
      ts -l | awk '{ print $1, $2 }' | grep -v ID; ts -r 0; echo "level $?"; ts -U 1-9; ts -U 1; ts -U 1-1; ts -u 9; ts -r 9
      ts -w 9; ts -o 9; ts -s 9; ts -c 9; ts -x; ts -L; ts -S 0; touch $GATE; ts -w 1; ts -w 2; ts -r; ts -r 0
      ts -l | awk '{ print $1, $2 }'; ts -u; echo "level $?"`);
  });

  it('-k ends a job, -n does not keep its output, -nf prints it and forgets the job', async () => {
    const printed = await compare(`
      ts sleep 100; until [ "$(ts -s 0)" = running ]; do sleep 0.1; done; ts -k; ts -w; echo "level $?"; ts -i
      ts sh -c 'kill -XCPU $$'; ts -w; echo "level $?"; ts -i
      ts -nf echo printed; ts -nf sh -c 'exit 3'; echo "level $?"; ts -n true; ts -w 4; ts`);
    expect(printed).toContain('killed by signal 15');
    expect(printed).toContain('killed by signal 24');
  });

  it('-S and -N give several slots', async () => {
    await compare(`
      ts -S 2; ts -S; ${gated}; ts -N 2 echo both; ts -l | awk '{ print $1, $2 }'; touch $GATE; ts -w 1; ts -i 1 | grep Slots; ts -l | awk '{ print $1, $2 }'`);
  });

  it('a job has the environment and the folder of who added it', async () => {
    await compare("mkdir -p sub; cd sub; ts sh -c 'echo $MARK; pwd'; ts -w; ts -c", { MARK: 'from here' });
  });

  it('-E keeps stderr apart', async () => {
    await run('ts', "ts -E sh -c 'echo out; echo err >&2'; ts -w; ts -c > shown; cat $(ts -o).err >> shown");
    expect(readFileSync(join(node.dir, 'shown'), 'utf8')).toBe('out\nerr\n');
  });

  it('TS_ONFINISH is run with number, level, output file and command', async () => {
    const told = join(node.dir, 'told');
    const program = join(node.dir, 'tell');
    writeFileSync(program, '#!/bin/sh\nshift 0; echo "$1|$2|$4" >> "$TOLD"\n', { mode: 0o755 });
    const script = `ts sh -c 'exit 5'; ts -w; until [ -s "$TOLD" ]; do sleep 0.1; done`;
    for (const program1 of ['tsp', 'ts'] as const)
      await run(program1, script, { TS_ONFINISH: program, TOLD: `${told}-${program1}` });
    expect(readFileSync(`${told}-ts`, 'utf8')).toBe(readFileSync(`${told}-tsp`, 'utf8'));
  });

  it('shows only its own jobs, keeps its numbers through a restart of the daemon, and -K begins anew', async () => {
    await node.trigger('queue', 'add', '--wait', '--', 'true');
    expect(await ts('true')).toMatchObject({ stdout: '0' });
    await ts('-w');
    await node.stop();
    await node.start();
    expect(await ts('true')).toMatchObject({ stdout: '1' });
    await ts('-w');
    expect((await ts()).stdout.split('\n').slice(1)).toHaveLength(2);
    await ts('-K');
    expect((await ts()).stdout.split('\n')).toHaveLength(1);
    expect(await ts('true')).toMatchObject({ stdout: '0' });
    expect((await node.trigger('queue')).stdout).toContain('finished');
  });

  it('says what it does not do: -g and -m', async () => {
    expect(await ts('-g', 'true')).toMatchObject({ exitCode: 255, stderr: expect.stringContaining('-g') });
    expect(await ts('-m', 'true')).toMatchObject({ exitCode: 255, stderr: expect.stringContaining('TS_ONFINISH') });
  });
});
