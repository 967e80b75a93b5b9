import { spawnSync } from 'node:child_process';
import { closeSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** What a process was given by whoever started it, and must not pass on to jobs. */

/** O_CLOEXEC, as `/proc/PID/fdinfo` has it. */
const closeOnExec = 0o2000000;

/**
 * Closes the descriptors that this process was started with, except 0, 1 and 2. To be called first of all.
 *
 * Node marks its own, and the first sixteen that it finds, as closed on exec; every child would inherit the others. What is not
 * marked is therefore nobody's here.
 */
export const closeInherited = (): void => {
  for (const fd of inheritable()) {
    try {
      closeSync(fd);
    } catch {
      // Closed meanwhile.
    }
  }
};

/** Descriptors of this process beyond 0, 1 and 2 that a child would get. */
export const inheritable = (): number[] =>
  readdirSync('/proc/self/fd')
    .map(Number)
    .filter((fd) => fd > 2 && !isClosedOnExec(fd));

const isClosedOnExec = (fd: number): boolean => {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1] ?? '0';
    return (Number.parseInt(flags, 8) & closeOnExec) !== 0;
  } catch {
    // That of the listing itself.
    return true;
  }
};

/** Part of util-linux, which every Debian has. */
export const prlimit = '/usr/bin/prlimit';

/** Where `bin/triggerd` writes down the limit that the daemon was started with. */
const givenVariable = 'TRIGGERD_OPEN_FILES';

/**
 * The soft limit of open files that the daemon was started with: Node raises its own to the hard limit at once, and a program that
 * uses select(2), or closes all descriptors up to the limit, is not made for that. Undefined where nobody has written it down.
 */
export const givenOpenFiles = (env: Readonly<NodeJS.ProcessEnv> = process.env): number | undefined => {
  const given = env[givenVariable] ?? '';
  return /^[1-9]\d{0,8}$/.test(given) ? Number(given) : undefined;
};

const optionName = '--open-files=';

/** How a runner is told that limit. */
export const openFilesOption = (limit: number | undefined): string[] =>
  limit === undefined ? [] : [`${optionName}${limit}`];

/** Words of a runner's command line, the option apart. */
export const splitOpenFiles = (argv: readonly string[]) => {
  const option = argv.find((word) => word.startsWith(optionName));
  return {
    openFiles: option === undefined ? undefined : Number(option.slice(optionName.length)),
    words: argv.filter((word) => word !== option),
  };
};

/** Takes this process's soft limit of open files down to `limit`, for everything that it starts. Never up. */
export const lowerOpenFiles = (limit: number): void => {
  if (!(limit < softOpenFiles())) return;
  spawnSync(prlimit, ['--pid', String(process.pid), `--nofile=${limit}:`], { stdio: 'ignore', env: {}, cwd: '/' });
};

const softOpenFiles = (): number => {
  const soft = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1];
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
};

const ownScore = '/proc/self/oom_score_adj';

/**
 * Starts a process that is as dear to the kernel as any other where memory is short, though this one is protected. What it inherits
 * is what this process has at that moment, so there is no moment in which it has more.
 */
export const withOrdinaryScore = <T>(start: () => T): T => {
  const score = readFileSync(ownScore, 'latin1').trim();
  if (!(Number(score) < 0)) return start();
  setScore('0');
  try {
    return start();
  } finally {
    setScore(score);
  }
};

const setScore = (score: string): void => {
  try {
    writeFileSync(ownScore, score);
  } catch {
    // A kernel that does not let this user: then whoever gave the score wants it so.
  }
};
