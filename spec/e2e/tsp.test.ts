import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { createNode, root, type TestNode } from '../support/node.ts';
import { type EtcdPlace, test } from '../support/test.ts';
import { until } from '../support/wait.ts';

/** The same words to task-spooler and to `trigger tsp`: what both print is compared. */
describe('trigger tsp', () => {
  let etcd: EtcdPlace;
  let node: TestNode;
  let bin: string;
  let sockets = 0;
  const onEnd: (() => void)[] = [];

  test.beforeAll(async ({ etcd: place }) => {
    etcd = place;
    node = createNode({
      name: 'tsp01',
      etcd,
      config: '[jobs]\ngrace = "1s"\n\n[queues.small]\nmax_queued = 1\n',
      through: withSendmail(),
    });
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
    for (const step of onEnd) step();
  });

  /** A mount namespace with a /usr/sbin/sendmail that writes down what it gets; the path is fixed in tsp, too. */
  const withSendmail = (): string[] => {
    const folder = mkdtempSync(join(tmpdir(), 'triggerd-sendmail-'));
    onEnd.push(() => rmSync(folder, { recursive: true }));
    const sendmail = join(folder, 'sendmail');
    const text = '#!/bin/sh\n{ printf "to [%s]\\n" "$@"; cat; echo; echo END; } >> "$BOX"\n';
    writeFileSync(sendmail, text, { mode: 0o755 });
    const space = join(folder, 'space');
    mkdirSync(space);
    // An overlay may not lie on an overlay, which / may be: its upper folder is on a tmpfs.
    const mount = `mount -t tmpfs none ${space} && mkdir ${space}/upper ${space}/work && cp ${sendmail} ${space}/upper/ &&
      mount -t overlay -o lowerdir=/usr/sbin,upperdir=${space}/upper,workdir=${space}/work overlay /usr/sbin && exec "$@"`;
    return ['unshare', '-m', 'sh', '-c', mount, 'sh'];
  };

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
    // Where the daemon is, there is a sendmail.
    const inside = ['-m', '-t', String(node.pid()), 'bash', '-c', `exec 2>&1\ncd ${node.dir}\n${prelude}${script}`];
    const { all = '' } = await execa('nsenter', inside, {
      all: true,
      reject: false,
      stdin: 'ignore',
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

  it('trigger tsp numbers jobs from 0, prints task-spooler’s list and information, and exits with the job’s error level', async () => {
    const printed = await compare(`
      ts -f true; ts -L lab sh -c 'exit 6'; ts -w; echo "level $?"
      ts -f no-such-program; echo "level $?"
      ts; ts -i 1; ts -i 2; ts -s; ts -s 1; ts -o 1; ts -S; ts -w 1; echo "level $?"
      ts echo hello; ts -w; ts -c; ts -t 3; ts -c 1; echo "level $?"
      ts -C; ts -l`);
    expect(printed).toContain('level 6');
    expect(printed).toMatch(/^1 +finished +FILE 6 +T\/T\/T \[lab\]sh -c exit 6$/m);
  });

  it('-d and -D run a job only if another one succeeded', async () => {
    const printed = await compare(`
      ts true; ts -d true; ts false; ts -d true; ts -D 0 echo well; ts -D 2 true; ts -w 4; ts -w 5; echo "level $?"
      ts; ts -c 3; echo "level $?"; ts -D 77 true; ts -w; ts -l`);
    expect(printed).toMatch(/^3 +skipped +\(no output\) +\[2\]&& true$/m);
  });

  it('-u, -U and -r change the queue, and refuse with task-spooler’s messages', async () => {
    await compare(`
      ${gated}; ts echo a; ts echo b; ts echo c; ts -u; ts -U 1-2; ts -r 3; ts -s 3; echo "level $?"
      ts -l | awk '{ print $1, $2 }' | grep -v ID; ts -r 0; echo "level $?"; ts -U 1-9; ts -U 1; ts -U 1-1; ts -u 9; ts -r 9
      ts -w 9; ts -o 9; ts -s 9; ts -c 9; ts -x; ts -L; ts -S 0; touch $GATE; ts -w 1; ts -w 2; ts -r; ts -r 0
      ts -l | awk '{ print $1, $2 }'; ts -u; echo "level $?"`);
  });

  // tsp says that a job is running before it knows the pid.
  it('-k ends a job, -n does not keep its output, -nf prints it and forgets the job', async () => {
    const printed = await compare(`
      ts sleep 100; until [ "$(ts -s 0)" = running ] && [ "$(ts -p 0)" -gt 0 ]; do sleep 0.1; done; ts -k; ts -w; echo "level $?"; ts -i
      ts sh -c 'kill -XCPU $$'; ts -w; echo "level $?"; ts -i
      ts -nf echo printed; ts -nf sh -c 'exit 3'; echo "level $?"; ts -n true; ts -w 4; ts`);
    expect(printed).toContain('killed by signal 15');
    expect(printed).toContain('killed by signal 24');
  });

  it('-S and -N give several slots', async () => {
    await compare(`
      ts -S 2; ts -S; ${gated}; ts -N 2 echo both; ts -l | awk '{ print $1, $2 }'; touch $GATE; ts -w 1; ts -i 1 | grep Slots; ts -l | awk '{ print $1, $2 }'`);
  });

  it('a job has the environment and the folder of the user who added it', async () => {
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

  it('trigger tsp shows only its own jobs, keeps their numbers through a restart of the daemon, and -K starts from 0', async () => {
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

  it('-g compresses the output file, which -c, -t and -o give as it is', async () => {
    // tsp ends a job before its gzip has ended.
    const printed = await compare(`
      ended() { ts -w; level=$?; until gzip -t "$(ts -o)" 2>&-; do sleep 0.1; done; }
      ts -g sh -c 'echo out; echo err >&2'; ended; zcat $(ts -o); ts -c | zcat; ts -t | zcat; ts -g false; ended; zcat $(ts -o) | wc -c
      ts -g seq 200000; ended; zcat $(ts -o) | md5sum; ts -g no-such-program; ended; echo "level $level"; ts -nfg echo plain; ts -l`);
    expect(printed).toContain('plain');
    const kept = await run(
      'ts',
      `ts -g seq 200000; ts -w; cat $(ts -o) | wc -c; ts -gE sh -c 'echo out; echo err >&2'; ts -w
      zcat $(ts -o); cat $(ts -o).err`,
    );
    const [, size, ...apart] = kept.split('\n');
    expect(Number(size)).toBeLessThan(1_000_000); // seq prints 1,288,895 bytes
    expect(apart).toEqual(['1', 'out', 'err']);
  });

  it('-m mails command, exit code and output, and TS_ONFINISH is run as well', async () => {
    const program = join(node.dir, 'tell');
    writeFileSync(program, '#!/bin/sh\necho "$# $1 $2" >> "$TOLD"\n', { mode: 0o755 });
    const script = `
      mail() { until [ "$(grep -c ^END "$BOX")" = "$1" ] && [ "$(wc -l < "$TOLD")" = "$1" ]; do sleep 0.1; done; }
      touch "$BOX" "$TOLD"
      ts -m sh -c 'echo out; echo err >&2; exit 3'; mail 1; TS_MAILTO=ops@example.com ts -m -L lab echo two; mail 2
      ts -m no-such-program; mail 3; ts -m sh -c 'kill -9 $$'; mail 4; ts -m sh -c 'exit 200'; mail 5
      ts -mg true; echo "level $?"; ts -mn true; echo "level $?"`;
    const heard = async (who: 'tsp' | 'ts'): Promise<string> => {
      const [box, told] = ['mail-box', 'mail-told'].map((name) => join(node.dir, `${name}-${who}`));
      const printed = await run(who, script, { USER: 'somebody', TS_ONFINISH: program, BOX: box, TOLD: told });
      return `${printed}\n${readFileSync(box ?? '', 'utf8')}\n${readFileSync(told ?? '', 'utf8')}`;
    };
    const ours = await heard('ts');
    expect(ours).toBe(await heard('tsp'));
    expect(ours).toContain('to [ops@example.com]');
    expect(ours).toContain(
      'finished with error 3. \n\nCommand: sh -c echo out; echo err >&2; exit 3\nOutput:\nout\nerr\n',
    );
  });

  it('an address for mail never becomes an option of sendmail or a second header', async () => {
    const box = join(node.dir, 'box-hostile');
    writeFileSync(box, '');
    for (const address of ['-X/etc/passwd', 'a@example.com\nBcc: b@example.com']) {
      await run('ts', 'ts -m true; ts -w', { TS_MAILTO: address, BOX: box });
      const { exit_code } = await until(async () => {
        const jobs = await node.jobs();
        return jobs.findLast(({ tells_of, state }) => tells_of !== null && state === 'finished');
      }, 'the end of the mailing job');
      expect(exit_code).toBe(64);
    }
    expect(readFileSync(box, 'utf8')).toBe('');
  });

  it('an exit code of 128 and more is a negative level, and the output says that a command could not be started', async () => {
    const printed = await compare(`
      ts sh -c 'exit 200'; ts -w; echo "level $?"; ts -i; ts -nf no-such-program; ts -f no-such-program; ts -c; ts -l`);
    expect(printed).toMatch(/^0 +finished +FILE -56/m);
    expect(printed.match(/ts could not run the command/g)).toHaveLength(2);
  });

  it('-d depends on the job before, even one that the list does not show', async () => {
    const printed = await compare(
      'ts -nf false; ts -d echo a; ts -w; echo "level $?"; ts -l; ts false; ts -w; ts -C; ts -d echo b; ts -w; ts -l',
    );
    expect(printed).toMatch(/^1 +skipped +\(no output\) +&& echo a$/m);
    expect(await compare('ts -d true; ts -w; echo "level $?"; ts -l')).toContain('level 0');
  });

  it('an ID of -1 means no ID, and -U reads its IDs as tsp does', async () => {
    await compare(`ts true; ts -w -1; ts -s -1; ts -i -1; ts -c -1; ts -o -1
      for ids in 1 a-b 1-2-3 -1-2 0-1x; do ts -U $ids; echo "level $?"; done`);
  });

  it('-B exits with 2 when the queue is full; without it the job waits for a place', async () => {
    const printed = await run(
      'ts',
      `${gated}; ts echo second; ts -B echo third; echo "level $?"; { ts echo fourth; echo "added, $?"; } & sleep 1
       ts -l | awk '{ print $1, $2 }'; touch $GATE; wait $!; ts -w 2; ts -c 2`,
      { TS_QUEUE: 'small' },
    );
    expect(printed).toBe('0\n1\nError, queue full\nlevel 2\nID State\n0 running\n1 queued\n2\nadded, 0\nfourth');
  });

  it('-p prints the pid of the running job, which leads a process group', async () => {
    const printed = await compare(`
      ts sh -c 'echo $$; until [ -e $GATE ]; do sleep 0.1; done'; until [ -s "$(ts -o 2>&-)" ] && [ "$(ts -p)" -gt 0 ]; do sleep 0.1; done
      [ "$(ts -p)" = "$(cat $(ts -o))" ] && [ "$(ts -p 0)" = "$(ts -p)" ] && echo own pid; kill -0 -- -$(ts -p) && echo group; kill -- -$(ts -p); ts -w; ts -i; ts -p 7`);
    expect(printed).toMatch(/own pid\ngroup\n.*killed by signal 15/s);
  });
});
