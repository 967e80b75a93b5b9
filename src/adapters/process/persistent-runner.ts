import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import type {
  CallExit,
  LaunchPlan,
  PersistentCall,
  PersistentPool,
  RunExit,
  Runner,
  RunningCall,
} from '../../queue/ports/runner.ts';
import { jobFile, type Order, prepareFolder } from './job-files.ts';
import { createOutputFile } from './output-file.ts';
import { identityOf } from './process-identity.ts';
import { writeStatus } from './write-status.ts';

/**
 * A runner that gives jobs of persistent plugins to the pool, and all others to `runner`. Such a job has a folder as any
 * other, claimed by the daemon itself: one that dies leaves it `lost`.
 */
export const createPersistentRunner = (runner: Runner, pool: PersistentPool): Runner => {
  const calls = new Map<string, RunningCall>();
  return {
    ...runner,
    run: (folder, plan) => (plan.call === undefined ? runner.run(folder, plan) : runCall(folder, plan, plan.call)),
    kill: async (folder) => {
      const call = calls.get(folder);
      if (call === undefined) await runner.kill(folder);
      else call.kill();
    },
  };

  async function runCall(folder: string, plan: LaunchPlan, call: PersistentCall): Promise<RunExit | 'lost'> {
    const order: Order = { folder, token: randomBytes(12).toString('hex') };
    prepareFolder(folder);
    writeFileSync(jobFile(folder, 'claim'), `${JSON.stringify({ ...identityOf(process.pid), token: order.token })}\n`, {
      mode: 0o600,
    });
    const startedAt = Date.now();
    const startedMono = performance.now();
    const output = createOutputFile(folder, plan.maxOutputBytes, 'output', plan.gzip);
    const errors = plan.stderrApart ? createOutputFile(folder, plan.maxOutputBytes, 'output.err') : output;
    const end = await new Promise<CallExit>((resolve) => {
      const running = pool.run(call, {
        output: (stream, bytes) => (stream === 'out' ? output.write('o', bytes) : errors.write('e', bytes)),
        ended: resolve,
      });
      calls.set(folder, running);
    });
    calls.delete(folder);
    const outputBytes = output.close() + (errors === output ? 0 : errors.close());
    if (end.kind === 'interrupted' && end.cause === 'itself') {
      const note = Buffer.from(`[triggerd: ${end.reason}]\n`);
      writeFileSync(jobFile(folder, 'output'), plan.gzip ? gzipSync(note) : note, { flag: 'a' });
      return 'lost';
    }
    const ending: RunExit = {
      startedAt,
      finishedAt: Date.now(),
      times: { realS: (performance.now() - startedMono) / 1000, userS: 0, systemS: 0 },
      exit: exitOf(end),
      cause: end.cause,
      outputBytes,
      ...(plan.terms === undefined ? {} : { terms: plan.terms }),
    };
    writeStatus(order, ending);
    return ending;
  }
};

const exitOf = (end: CallExit): RunExit['exit'] => {
  if (end.kind === 'exited') return { kind: 'exited', code: end.code };
  return end.kind === 'interrupted'
    ? { kind: 'signalled', signal: 'SIGKILL' }
    : { kind: 'not-started', reason: end.reason };
};
