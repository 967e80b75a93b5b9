import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connect } from '../../../src/adapters/etcd/connect.ts';
import { type EmbeddedEtcd, startEmbeddedEtcd } from '../../../src/adapters/etcd/embedded.ts';
import { etcdPathsIn, spawnEtcd } from '../../../src/adapters/etcd/embedded-process.ts';
import { freePort } from '../../support/etcd.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { until } from '../../support/wait.ts';

describe('the embedded etcd', () => {
  let stateDir: string;
  let port: number;
  let clientUrl: string;
  let log: ReturnType<typeof recordingLog>;
  const running: EmbeddedEtcd[] = [];

  beforeEach(async () => {
    stateDir = mkdtempSync(join(tmpdir(), 'triggerd-embedded-'));
    port = await freePort();
    clientUrl = `http://127.0.0.1:${port}`;
    log = recordingLog();
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((etcd) => etcd.close()));
    rmSync(stateDir, { recursive: true, force: true });
  });

  const start = async (): Promise<EmbeddedEtcd> => {
    const etcd = await startEmbeddedEtcd({ stateDir, clientUrl, log });
    running.push(etcd);
    return etcd;
  };
  const withStore = async <T>(use: (store: ReturnType<typeof connect>) => Promise<T>): Promise<T> => {
    const store = connect({ endpoints: [clientUrl], log });
    return use(store).finally(() => store.close());
  };
  const put = () =>
    until(
      () =>
        withStore((store) => store.commit({ compare: [], write: [{ put: '/k', value: 'kept' }] })).catch(() => null),
      'a write',
    );
  const get = () => withStore((store) => store.get('/k').catch(() => undefined));
  const isRunning = (pid: number) => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };

  it('starts, keeps its data over a restart, and leaves no process behind', async () => {
    const first = await start();
    const pid = first.pid ?? 0;
    await put();
    await first.close();
    expect(isRunning(pid)).toBe(false);
    await start();
    expect((await until(get, 'the data')).value).toBe('kept');
    expect(statSync(join(stateDir, 'etcd')).mode & 0o777).toBe(0o700);
    expect(statSync(join(stateDir, 'etcd', 'data')).mode & 0o777).toBe(0o700);
  });

  it('listens on the loopback address only', async () => {
    await start();
    const listening = readFileSync('/proc/net/tcp', 'latin1').split('\n');
    const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
    const addresses = listening.map((line) => line.trim().split(/\s+/)).filter(([, , , state]) => state === '0A');
    expect(addresses.map(([, local]) => local).filter((local) => local?.endsWith(`:${hexPort}`))).toEqual([
      `0100007F:${hexPort}`,
    ]);
  });

  it('is started again when it dies, and not after it was stopped', async () => {
    const etcd = await start();
    await put();
    const pid = etcd.pid ?? 0;
    process.kill(pid, 'SIGKILL');
    await until(() => etcd.pid !== undefined && etcd.pid !== pid, 'another process');
    await until(get, 'the data');
    expect(log.at('error')).toHaveLength(1);
    const last = etcd.pid ?? 0;
    await etcd.close();
    expect(isRunning(last)).toBe(false);
    expect(etcd.pid).toBeUndefined();
  });

  it('ends the etcd that a killed daemon has left on the same data', async () => {
    const folder = join(stateDir, 'etcd');
    mkdirSync(folder, { mode: 0o700 });
    const leftOver = spawnEtcd('etcd', port, etcdPathsIn(folder));
    await put();
    const next = await start();
    // KILL where five seconds were not enough.
    expect(await leftOver?.ended).toMatch(/^killed by SIG(TERM|KILL)$/);
    expect(next.pid).not.toBe(leftOver?.identity.pid);
    expect((await until(get, 'the data')).value).toBe('kept');
  });

  it('says what to do when there is no etcd', async () => {
    const start = startEmbeddedEtcd({ stateDir, clientUrl, log, binary: '/nowhere/etcd' });
    await expect(start).rejects.toMatchObject({
      code: 'etcd-embedded-failed',
      remedy: expect.stringContaining('etcd'),
    });
  });

  it('shows etcd’s own words when it ends at once', async () => {
    const start = startEmbeddedEtcd({ stateDir, clientUrl, log, binary: '/bin/false' });
    await expect(start).rejects.toThrow(/ended at once \(exit code 1\)/);
  });

  it('does not listen where other machines could reach it', async () => {
    const start = startEmbeddedEtcd({ stateDir, clientUrl: 'http://0.0.0.0:2379', log });
    await expect(start).rejects.toMatchObject({ code: 'etcd-embedded-failed' });
  });

  it('refuses a port that another process has', async () => {
    const other = createServer().listen(port, '127.0.0.1');
    await until(() => other.listening, 'the other listener');
    await expect(start()).rejects.toThrow(/something else listens/);
    await new Promise((resolve) => other.close(resolve));
  });
});
