/** A real mount of a tree that the test makes up; the test plays the daemon. Only asynchronous calls may touch it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type MountProcess, startMountProcess } from '../../src/adapters/fuse/mount-process.ts';
import { MountLink } from '../../src/mount/link.ts';
import type { Gateway } from '../../src/mount/ports.ts';
import type { TreeSnapshot } from '../../src/mount/tree.ts';
import type { Definition, Directory } from '../../src/registry/model.ts';
import { recordingLog } from './recording-log.ts';

const program = fileURLToPath(new URL('../../dist/programs/mount.js', import.meta.url));
const madeAt = '2026-01-02T03:04:05.000Z';
const common = { description: '', owner: 'nobody-here', owner_id: 0, created_at: madeAt, updated_at: madeAt };

export const directory = (id: number, name: string, change: Partial<Directory> = {}): Directory => ({
  ...common,
  kind: 'directory',
  id,
  parent: 0,
  name,
  mode: 0o775,
  ...change,
});

export const definition = (id: number, parent: number, name: string, change: Partial<Definition> = {}): Definition => ({
  ...common,
  kind: 'definition',
  id,
  parent,
  name,
  plugin: 'command/command',
  service: 'demoservice',
  args: {},
  timeout_ms: null,
  visibility: 'local',
  framing: 'write',
  delivery: 'async',
  durable: true,
  max_message: 1_048_576,
  deadline_ms: null,
  partial: null,
  mode: 0o644,
  ...change,
});

export interface TestMount {
  readonly mountpoint: string;
  readonly process: MountProcess;
  readonly link: MountLink;
  show(tree: Omit<TreeSnapshot, 'team'>): void;
  path(...names: string[]): string;
  close(): Promise<void>;
}

export const newMountpoint = async (): Promise<string> => mkdtemp(join(tmpdir(), 'triggerd-mount-'));

export const mountTree = async (gateway: Gateway, mountpoint?: string): Promise<TestMount> => {
  const at = mountpoint ?? (await newMountpoint());
  const log = recordingLog();
  const settings = {
    mountpoint: at,
    allowOther: true,
    log: { level: 'fatal', format: 'json', node: 'test', isTerminal: false },
  };
  const process = startMountProcess(program, { ...settings, log: { ...settings.log, format: 'json' } }, log);
  const link = new MountLink(process.stream, gateway, log);
  await link.mounted;
  return {
    mountpoint: at,
    process,
    link,
    show: (tree) => link.show({ team: 'team1', ...tree }),
    path: (...names) => join(at, ...names),
    close: async () => {
      await process.end();
      await rm(at, { recursive: true });
    },
  };
};
