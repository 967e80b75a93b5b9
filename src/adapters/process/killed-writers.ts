/**
 * Whether the program that closes a file does so because a signal has killed it. FUSE does not tell: the kernel closes what
 * a dying process has open, and the file system hears of that as of any `close(2)`. But the process waits for the answer,
 * and until then /proc shows it: on its way out, by which signal, and waiting for a file system.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** PF_EXITING in the flags of a process. */
const exiting = 0x4;
const signalBits = 0x7f;
/** The closer may still be on its way to sleep, or another process gives its memory back: another look tells. */
const lookMs = 20;
const looks = 10;

/** `runs`: on its way to sleep, or gives its memory back. `unseen`: the kernel does not name what it waits for. */
type Waits = 'for a file system' | 'unseen' | 'runs' | 'no';
const undecided: readonly Waits[] = ['unseen', 'runs'];

export class KilledWriters {
  /** Dying ones that wait for a file system, by pid and start, with the time at which they were first seen: of the last look. */
  #seenAt: ReadonlyMap<string, number> = new Map();
  #look: Promise<void> | undefined;

  /**
   * Asked while the closer waits. `since`: when the file was opened, in `performance.now()`. Who was dying before that (a
   * process may hang in its death for days) is not the one. Another one that is killed with a file open on a file system of
   * this kind, and closes it at this moment, is taken for it.
   */
  async isCloserKilled(since: number): Promise<boolean> {
    // Files that are closed in the same moment share a look, which begins after all of them.
    this.#look ??= new Promise((resolve, reject) => {
      setImmediate(() => {
        this.#look = undefined;
        this.#see().then(resolve, reject);
      });
    });
    await this.#look;
    return [...this.#seenAt.values()].some((seenAt) => seenAt >= since);
  }

  async #see(): Promise<void> {
    const now = performance.now();
    let dying = new Map(dyingProcesses());
    for (let look = 1; look < looks && [...dying.values()].some((waits) => undecided.includes(waits)); look++) {
      await sleep(lookMs);
      dying = new Map([...dying.keys()].flatMap((key) => dyingProcess(pidOf(key))));
    }
    // Where the kernel does not name what a process waits for, one that has waited so long is taken for it.
    const waiting = [...dying].flatMap(([key, waits]) => (waits === 'runs' ? [] : [key]));
    this.#seenAt = new Map(waiting.map((each) => [each, this.#seenAt.get(each) ?? now]));
  }
}

type Dying = [key: string, Waits];

const keyOf = (pid: string, startTime: string): string => `${pid} ${startTime}`;
const pidOf = (key: string): string => key.split(' ', 1)[0] ?? '';

const dyingProcesses = (): Dying[] =>
  readdirSync('/proc').flatMap((name) => (/^\d/.test(name) ? dyingProcess(name) : []));

// Of `/proc/<pid>/stat`, counted from the state behind the command's name.
const flagsField = 6;
const startTimeField = 19;
const exitCodeField = 49;

/** None, or it, if it does not wait for something else. */
const dyingProcess = (pid: string): Dying[] => {
  const fields = fieldsOf(`/proc/${pid}`);
  // The exit code is 0 where this user may not see it.
  if ((Number(fields[flagsField]) & exiting) === 0 || (Number(fields[exitCodeField]) & signalBits) === 0) return [];
  const waits = waitOf(pid);
  return waits === 'no' ? [] : [[keyOf(pid, fields[startTimeField] ?? ''), waits]];
};

/** Its last thread closes the files; the first one may be a zombie by then. */
const waitOf = (pid: string): Waits => {
  const tasks = namesIn(`/proc/${pid}/task`).map((task) => `/proc/${pid}/task/${task}`);
  const waits = tasks.map((task): Waits => {
    const [state] = fieldsOf(task);
    if (state === undefined || state === 'Z' || state === 'X') return 'no';
    const place = textOf(`${task}/wchan`);
    if (state === 'R') return 'runs';
    if (place === '' || place === '0') return 'unseen';
    return /fuse|request_wait_answer/.test(place) ? 'for a file system' : 'no';
  });
  return order.find((each) => waits.includes(each)) ?? 'no';
};

const order: readonly Waits[] = ['for a file system', 'unseen', 'runs'];

const fieldsOf = (folder: string): string[] => {
  const text = textOf(`${folder}/stat`);
  return text === '' ? [] : text.slice(text.lastIndexOf(')') + 2).split(' ');
};

/** Nothing of a process that is gone. */
const textOf = (file: string): string => {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
};

const namesIn = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
};
