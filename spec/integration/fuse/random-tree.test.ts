import { chmod, mkdir, readdir, rename, rmdir, stat } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TriggerdError } from '../../../src/domain/errors.ts';
import type { Gateway } from '../../../src/mount/ports.ts';
import { MemoryStore } from '../../support/memory-store.ts';
import { mountTree, type TestMount } from '../../support/mounts.ts';
import { announced } from '../../support/random.ts';
import { openRegistry, password } from '../../support/registry.ts';

/** The tree as it should be: path → permission bits, and whether it is a directory. */
type Model = Map<string, { readonly isDirectory: boolean; readonly mode: number }>;

const registry = openRegistry({ store: new MemoryStore(), prefix: '/trigger' });
const local = { kind: 'local' } as const;
let mount: TestMount;

const show = (): void => {
  const nodes = [...(registry.mirror.state?.holdings('team1').nodes.values() ?? [])];
  mount.show({
    directories: nodes.filter((node) => node.kind === 'directory'),
    definitions: nodes.filter((node) => node.kind === 'definition'),
  });
};
const refuse = async (): Promise<never> => {
  throw new TriggerdError('internal', 'nothing is written here');
};
const gateway: Gateway = {
  spool: refuse,
  send: refuse,
  content: refuse,
  execute: async (change) => {
    await registry.execute(local, { ...change, team: 'team1' });
    show();
  },
};

beforeAll(async () => {
  await registry.initialise({ team: 'team1', identity: 'hp', secret: password });
  registry.mirror.start();
  await registry.mirror.ready;
  mount = await mountTree(gateway);
});
afterAll(async () => {
  await mount?.close();
  await registry.mirror.stop();
});

/** Every path that the mount shows, with what `stat` says of it. */
const walk = async (path = ''): Promise<[string, { isDirectory: boolean; mode: number }][]> => {
  const names = await readdir(mount.path(path));
  const found = await Promise.all(
    names.map(async (name) => {
      const at = `${path}/${name}`;
      const stats = await stat(mount.path(at));
      const own = [at, { isDirectory: stats.isDirectory(), mode: stats.mode & 0o777 }] as const;
      return [[...own], ...(stats.isDirectory() ? await walk(at) : [])] as [
        string,
        { isDirectory: boolean; mode: number },
      ][];
    }),
  );
  return found.flat();
};

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/'));
const isThere = (model: Model, path: string): boolean => path === '' || model.get(path)?.isDirectory === true;
const isBelow = (path: string, top: string): boolean => path.startsWith(`${top}/`);

const move = (model: Model, from: string, to: string): boolean => {
  const node = model.get(from);
  if (node === undefined || model.has(to) || !isThere(model, parentOf(to)) || isBelow(to, from)) return false;
  if (!node.isDirectory && parentOf(to) === '') return false;
  for (const [path, each] of [...model].filter(([path]) => path === from || isBelow(path, from))) {
    model.delete(path);
    model.set(to + path.slice(from.length), each);
  }
  return true;
};

it('the mounted tree is the model’s tree after any sequence of operations, refused ones included', async () => {
  const random = announced('random-tree');
  const model: Model = new Map();
  const names = ['a', 'b', 'c'];
  const somewhere = (): string => Array.from({ length: random.between(1, 4) }, () => `/${random.pick(names)}`).join('');
  const worked = (done: Promise<unknown>): Promise<boolean> =>
    done.then(
      () => true,
      () => false,
    );
  for (let step = 0; step < 150; step++) {
    const [path, to, mode] = [somewhere(), somewhere(), random.between(0, 0o1000)];
    const at = mount.path(path);
    const what = random.pick(['mkdir', 'mkdir', 'define', 'rename', 'chmod', 'rmdir']);
    const label = `seed ${random.seed}, step ${step}: ${what} ${path} ${to}`;
    const isFree = !model.has(path) && isThere(model, parentOf(path));
    if (what === 'mkdir') {
      if (isFree) model.set(path, { isDirectory: true, mode: 0o755 });
      expect(await worked(mkdir(at, 0o755)), label).toBe(isFree);
    } else if (what === 'define' && isFree && parentOf(path) !== '') {
      model.set(path, { isDirectory: false, mode: 0o644 });
      await registry.execute(local, { verb: 'definition.add', team: 'team1', path });
      show();
    } else if (what === 'rename') {
      expect(await worked(rename(at, mount.path(to))), label).toBe(
        path === to ? model.has(path) : move(model, path, to),
      );
    } else if (what === 'chmod') {
      const node = model.get(path);
      if (node !== undefined) model.set(path, { ...node, mode });
      expect(await worked(chmod(at, mode)), label).toBe(node !== undefined);
    } else if (what === 'rmdir') {
      const canGo = model.get(path)?.isDirectory === true && ![...model.keys()].some((each) => isBelow(each, path));
      if (canGo) model.delete(path);
      expect(await worked(rmdir(at)), label).toBe(canGo);
    }
    expect(Object.fromEntries(await walk()), label).toEqual(Object.fromEntries(model));
  }
});
