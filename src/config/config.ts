/**
 * From text to a checked, frozen `Config`. Pure: the caller reads the file and hands over the environment.
 *
 *     text ─parse─► tables ─layer(file < env < flags)─► check ─► defaults ─► freeze
 */

import { resolve, sep } from 'node:path';
import * as v from 'valibot';
import { TriggerdError } from '../domain/errors.ts';
import { type Environment, readEnvironment, readText } from './environment.ts';
import { findUnknownKeys, type Layered, layer, type Setting, type Source, settingsOf, sourceKey } from './layers.ts';
import { didYouMean, dotted, expectedGot, type Problem } from './problem.ts';
import { type Config, configSchema } from './schema.ts';
import { configShape, type KeyShape, keysOf, type SectionShape, shapeAt } from './shape.ts';
import { parseToml } from './toml.ts';

export interface ConfigInput {
  /** Null: there is no file, everything is a default. */
  readonly file: { readonly path: string; readonly text: string } | null;
  readonly env: Environment;
  /** From flags, by dotted key: `{ 'node.socket': '/tmp/s' }`. `undefined` is no override. */
  readonly overrides?: Readonly<Record<string, unknown>>;
}

export interface LoadedConfig {
  readonly config: Config;
  readonly file: string | null;
  /** Where values came from, by `sourceKey(path)`; a value that is not here is a default. */
  readonly sources: ReadonlyMap<string, Source>;
}

/** Throws `config-syntax`, or one `config-invalid` that names every problem. */
export const parseConfig = ({ file, env, overrides = {} }: ConfigInput): LoadedConfig => {
  const shape = configShape();
  const tables = file === null ? {} : parseToml(file.text, file.path);
  const environment = readEnvironment(shape, env, tables);
  const flags = readOverrides(shape, overrides);
  const layered = layer([
    ...settingsOf(tables, { from: 'file', name: file?.path ?? '' }),
    ...environment.settings,
    ...flags.settings,
  ]);
  const checked = v.safeParse(configSchema, layered.tree);
  const problems = [
    ...findUnknownKeys(shape, tables),
    ...environment.problems,
    ...flags.problems,
    ...(checked.success ? combinationProblems(checked.output) : checked.issues.map((issue) => problemOf(shape, issue))),
  ];
  if (problems.length > 0 || !checked.success) throw invalid(file?.path ?? null, problems, layered);
  return Object.freeze({
    config: deepFreeze(checked.output),
    file: file?.path ?? null,
    sources: layered.sources,
  });
};

const readOverrides = (shape: SectionShape, overrides: Readonly<Record<string, unknown>>) => {
  const settings: Setting[] = [];
  const problems: Problem[] = [];
  for (const [name, value] of Object.entries(overrides)) {
    if (value === undefined) continue;
    const path = name.split('.');
    const key = shapeAt(shape, path);
    if (key?.kind === 'key')
      settings.push({
        path,
        value: typeof value === 'string' ? readText(key, value) : value,
        source: { from: 'flag', name },
      });
    else problems.push({ path, message: `unknown key${didYouMean(name, keyNames(shape))}` });
  }
  return { settings, problems };
};

const keyNames = (shape: SectionShape): string[] => keysOf(shape).map(([path]) => path.join('.'));

const problemOf = (shape: SectionShape, issue: v.BaseIssue<unknown>): Problem => {
  const path = (issue.path ?? []).map((item) => String(item.key));
  const at = shapeAt(shape, path);
  if (at?.kind === 'key') return { path, message: refusalOf(at, issue.input) };
  return { path, message: expectedGot('a section', issue.input, false) };
};

const refusalOf = ({ expected, secret, explain }: KeyShape, value: unknown): string => {
  const why = explain?.(value);
  return `${expectedGot(expected, value, secret === true)}${why === undefined ? '' : `: ${why}`}`;
};

const invalid = (file: string | null, problems: readonly Problem[], { sources }: Layered): TriggerdError => {
  const lines = problems.map(({ path, message }) => {
    const source = sources.get(sourceKey(path));
    const place = source === undefined || source.from === 'file' ? '' : ` (${sourceLabel(source)})`;
    return `${dotted(path)}${place}: ${message}`;
  });
  const title = file ?? 'configuration';
  const message = lines.length === 1 ? `${title}: ${lines[0]}` : `${title}:\n${lines.map((l) => `  ${l}`).join('\n')}`;
  return new TriggerdError('config-invalid', message, { details: { file, problems: lines } });
};

export const sourceLabel = (source: Source): string => (source.from === 'env' ? `$${source.name}` : source.from);

const deepFreeze = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null) for (const each of Object.values(value)) deepFreeze(each);
  return Object.freeze(value);
};

/** Values that are fine alone and wrong together. */
const combinationProblems = (config: Config): Problem[] => {
  const { etcd, puppetdb } = config;
  const problems = placesInsideMount(config);
  const both = (one: 'cert_file' | 'username', other: 'key_file' | 'password_file') => {
    if ((etcd[one] === undefined) === (etcd[other] === undefined)) return;
    const [given, missing] = etcd[one] === undefined ? [other, one] : [one, other];
    problems.push({ path: ['etcd', missing], message: `needed with ${given}` });
  };
  both('cert_file', 'key_file');
  both('username', 'password_file');
  if (etcd.ca_file !== undefined && etcd.endpoints.some((endpoint) => endpoint.startsWith('http://')))
    problems.push({ path: ['etcd', 'endpoints'], message: 'http:// is not encrypted, and ca_file asks for TLS' });
  if ((puppetdb?.cert_file === undefined) !== (puppetdb?.key_file === undefined)) {
    const [given, missing] = puppetdb?.cert_file === undefined ? ['key_file', 'cert_file'] : ['cert_file', 'key_file'];
    problems.push({ path: ['puppetdb', missing], message: `needed with ${given}` });
  }
  if (etcd.embedded && !isLoopback(etcd.endpoints[0]))
    problems.push({ path: ['etcd', 'endpoints'], message: 'an embedded etcd listens on https://127.0.0.1 only' });
  if (etcd.embedded && etcd.ca_file !== undefined)
    problems.push({
      path: ['etcd', 'ca_file'],
      message: 'an embedded etcd makes its own certificates; remove this key',
    });
  return problems;
};

const isLoopback = (endpoint = ''): boolean => /^https?:\/\/(127\.0\.0\.1|localhost)(:\d+)?\/?$/.test(endpoint);

/** What a process that mounts opens itself: there it would wait for itself. */
const placesInsideMount = ({ triggerfs, node, plugins, workers, messages }: Config): Problem[] => {
  const { mountpoint } = triggerfs;
  if (mountpoint === undefined) return [];
  const places: readonly [Problem['path'], string | undefined][] = [
    [['node', 'state_dir'], node.state_dir],
    [['node', 'spool'], node.spool],
    [['node', 'socket'], node.socket],
    [['plugins', 'path'], plugins.path],
    [['workers', 'pluginspath'], workers.pluginspath],
    [['messages', 'directory'], messages.directory],
    [['messages', 'data'], messages.data],
    [['triggerfs', 'logfile'], triggerfs.logfile],
  ];
  return places
    .filter(([, place]) => place !== undefined && isWithin(resolve(mountpoint), resolve(place)))
    .map(([path]) => ({ path, message: 'is inside of [triggerfs] mountpoint; what mounts would wait for itself' }));
};

const isWithin = (folder: string, place: string): boolean =>
  `${place}${sep}`.startsWith(folder === sep ? sep : `${folder}${sep}`);
