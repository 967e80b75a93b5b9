import childProcess from 'node:child_process';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';

/**
 * Setup of the unit tests: whatever touches the disk, a socket or a process throws, also where a source does it that the test
 * imports. The linter sees only what a test imports itself. A package that is loaded is no such touch, nor is what the kernel says in /proc.
 */
const refuse = (what: string): never => {
  throw new Error(`a unit test touches ${what}: give it a port's fake, or move it to spec/integration`);
};

const isNoDisk = (path: unknown): boolean => /^\/proc\/|\/node_modules\//.test(String(path));

/** Once per process: this module is loaded again for each file of a process. */
const mark = Symbol.for('triggerd: nothing outside');
const isGuarded = mark in fs;

type Calls = Record<string, (...args: unknown[]) => unknown>;

const guard = (module: object, names: readonly string[], mayPass: (first: unknown) => boolean = () => false): void => {
  if (isGuarded) return;
  const calls = module as Calls;
  for (const name of names) {
    const original = calls[name];
    calls[name] = (...args) => (mayPass(args[0]) ? original?.apply(module, args) : refuse(`${name}(${args[0]})`));
  }
};

const onPaths = [
  'open',
  'readFile',
  'writeFile',
  'appendFile',
  'copyFile',
  'mkdir',
  'mkdtemp',
  'readdir',
  'rename',
  'rm',
  'unlink',
];
guard(
  fs,
  [...onPaths, ...onPaths.map((name) => `${name}Sync`), 'createReadStream', 'createWriteStream', 'watch'],
  isNoDisk,
);
guard(fs.promises, onPaths, isNoDisk);
guard(net.Socket.prototype, ['connect']);
guard(net.Server.prototype, ['listen']);
guard(childProcess, ['spawn', 'spawnSync', 'exec', 'execSync', 'execFile', 'execFileSync', 'fork']);
syncBuiltinESMExports();
Object.defineProperty(fs, mark, { value: true });
