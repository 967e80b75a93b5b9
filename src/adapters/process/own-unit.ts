import { existsSync, readFileSync } from 'node:fs';
import { execa } from 'execa';
import { withTimeout } from '../../kit/with-timeout.ts';
import type { JobLimits } from '../../queue/ports/runner.ts';
import { cpuSeconds } from './with-limits.ts';

/** Transient units of systemd: outside the cgroup and the sandbox of this process's own unit. */

/** Whether this host's services are systemd's and we may ask it for more. */
export const canStartUnits = (): boolean => existsSync('/run/systemd/system') && process.getuid?.() === 0;

/** Whether this process is a service itself, whose sandbox must not bind what it starts for others. */
export const isSandboxed = (): boolean => canStartUnits() && process.env['INVOCATION_ID'] !== undefined;

/** Whether jobs, which get no unit here, run with the restrictions of this process's service. */
export const sharesSandbox = (): boolean => {
  if (canStartUnits() || process.env['INVOCATION_ID'] === undefined) return false;
  return /^NoNewPrivs:\s*1$/m.test(readFileSync('/proc/self/status', 'latin1'));
};

export interface OwnUnit {
  /** Without `.service`. */
  readonly name: string;
  readonly description: string;
  /** `Name=value`. */
  readonly properties?: readonly string[];
}

/** Words of a `systemd-run` that ends when the unit does, with its exit code, or 255 where a signal ended it. */
export const unitCommand = (
  argv: readonly string[],
  { name, description, properties = [] }: OwnUnit,
): [string, ...string[]] => [
  'systemd-run',
  '--quiet',
  '--wait',
  '--collect',
  '--no-ask-password',
  `--unit=${name}`,
  `--description=${description}`,
  ...properties.map((property) => `--property=${property}`),
  '--',
  ...argv.map(literally),
];

/** The same with this process's child's standard streams, and exactly this environment. */
export const pipedUnitCommand = (
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  unit: OwnUnit,
): [string, ...string[]] => {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const [systemdRun, ...words] = unitCommand(['/usr/bin/env', '-i', ...variables, ...argv], {
    ...unit,
    properties: ['IgnoreSIGPIPE=no', 'OOMPolicy=continue', ...(unit.properties ?? [])],
  });
  return [systemdRun, '--pipe', ...words];
};

/** systemd puts variables of its own into words of a command line. */
const literally = (word: string): string => word.replaceAll('$', '$$$$');

/** Limits of a unit; `own` is for what of us runs in it, beside what is limited. */
export const limitProperties = (
  { memoryBytes, processes, openFiles, cpuMs }: JobLimits,
  own: { readonly bytes: number; readonly threads: number } = { bytes: 0, threads: 0 },
): string[] => [
  // Without a limit of its own, swap would take what memory does not.
  ...(memoryBytes === undefined ? [] : [`MemoryMax=${memoryBytes + own.bytes}`, 'MemorySwapMax=0']),
  ...(processes === undefined ? [] : [`TasksMax=${processes + own.threads}`]),
  ...(openFiles === undefined ? [] : [`LimitNOFILE=${openFiles}`]),
  ...(cpuMs === undefined ? [] : [`LimitCPU=${cpuSeconds(cpuMs)}`]),
];

/** Signals every process of the unit. One that is not there is no error. */
export const signalUnit = async (name: string, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
  await execa('systemctl', ['kill', `--signal=${signal}`, `${name}.service`], {
    cwd: '/',
    stdin: 'ignore',
    reject: false,
    timeout: 10_000,
  });
};

/** TERM to all of the unit, KILL to what is left after `graceMs`, until `ended` resolves. */
export const stopUnit = async (name: string, ended: Promise<unknown>, graceMs: number): Promise<void> => {
  const over = ended.then(() => true);
  if (graceMs > 0) {
    await signalUnit(name, 'SIGTERM');
    if (await withTimeout(over, graceMs, isNot)) return;
  }
  do await signalUnit(name, 'SIGKILL');
  while (!(await withTimeout(over, againMs, isNot)));
};

const againMs = 1_000;
const isNot = (): boolean => false;
