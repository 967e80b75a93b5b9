import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ulid } from 'ulid';
import { openSpoolFolder } from '../../src/adapters/files/spool-folder.ts';
import { openJournal } from '../../src/adapters/sqlite/open-journal.ts';
import { postJob } from './api.ts';
import type { Violation } from './checker.ts';
import { cutDisk } from './cut-disk.ts';
import { moveState, pause } from './faults.ts';
import { type Fleet, startFleet } from './fleet.ts';
import type { Random } from './random.ts';
import { stateIn } from './state.ts';
import { until } from './wait.ts';

/** What was promised before a cut, and what was found after it. */
export interface CutReport {
  /** Promises that were not kept; each in words. */
  readonly lost: string[];
  /** How many promises were looked up, over all cuts. */
  readonly promises: number;
  /** Of the daemon that knew nothing of the cuts. */
  readonly violations: readonly Violation[];
}

interface Promised {
  readonly jobs: readonly number[];
  readonly spooled: readonly string[];
  /** Firings that etcd knows the end of. */
  readonly ended: readonly string[];
}

/** A daemon under load on a disk whose power goes `cuts` times, each at a random moment. */
export const cutPower = async (cuts: number, random: Random): Promise<CutReport> => {
  const disk = cutDisk();
  const fleet = await startFleet({ prepare: (node) => moveState(node, join(disk.folder, 'state')) });
  try {
    const load = await startLoad(fleet, join(disk.folder, 'spool'));
    const lost: string[] = [];
    let promises = 0;
    try {
      for (let cut = 0; cut < cuts; cut++) {
        await load.goOn();
        await pause(random.between(0, 60));
        const ended = (await fleet.record()).outcomes.filter(({ stage }) => stage === 'finished').map(({ id }) => id);
        const promised = { ...load.acknowledged(), ended };
        const image = disk.snapshot();
        lost.push(...disk.afterCut(image, (folder) => missing(folder, promised)));
        promises += promised.jobs.length + promised.spooled.length + ended.length;
      }
    } finally {
      await load.stop();
    }
    return { lost, promises, violations: await fleet.verdict() };
  } finally {
    await fleet.remove();
  }
};

/** So many of each kind between two cuts at most: the disk is small. */
const turnsPerCut = 5;

/** Firings through etcd, jobs through the socket, and firings into a spool, until it is stopped. */
const startLoad = async (fleet: Fleet, spoolFolder: string) => {
  const spool = await openSpoolFolder(spoolFolder);
  const socket = fleet.nodes[0]?.socket ?? '';
  const jobs: number[] = [];
  const spooled: string[] = [];
  let isOver = false;
  let allowed = 0;
  const again = async (work: (turn: number) => Promise<unknown>): Promise<void> => {
    for (let turn = 0; !isOver; turn++) {
      await until(() => isOver || turn < allowed, 'the next cut');
      if (!isOver) await work(turn);
      await pause(25);
    }
  };
  const streams = [
    again((turn) => fleet.fire(`a7-${turn % 4}`)),
    again(async () => jobs.push((await postJob(socket, { argv: ['true'], payload: 'x'.repeat(2_000) })).id)),
    again(async () => {
      const id = ulid();
      await spool.add(id, '{}');
      spooled.push(`${id}.json`);
    }),
  ];
  return {
    acknowledged: () => ({ jobs: [...jobs], spooled: [...spooled] }),
    /** Resolves when something has been acknowledged that the cut before did not have. */
    goOn: async () => {
      const before = jobs.length;
      allowed += turnsPerCut;
      await until(() => jobs.length > before, 'a job to be acknowledged');
    },
    stop: async () => {
      isOver = true;
      await Promise.all(streams);
    },
  };
};

const missing = (folder: string, { jobs, spooled, ended }: Promised): string[] => {
  const { journal, firings, close } = openJournal(stateIn(join(folder, 'state')));
  try {
    const there = new Set(readdirSync(join(folder, 'spool')));
    const isOver = (firing: string) => {
      const job = firings.find(firing)?.jobId;
      return job != null && journal.get(job)?.state === 'finished';
    };
    return [
      ...jobs.filter((id) => journal.get(id) === undefined).map((id) => `job ${id}`),
      ...spooled.filter((name) => !there.has(name)).map((name) => `spooled ${name}`),
      ...ended.filter((id) => !isOver(id)).map((id) => `the end of firing ${id}`),
    ];
  } finally {
    close();
  }
};
