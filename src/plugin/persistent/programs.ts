import type { Job, JobRequest } from '../../domain/job.ts';
import type { PersistentCall, PersistentProgram, RunTerms } from '../../queue/ports/runner.ts';
import type { Plugin } from '../manifest.ts';

export interface ProgramsOptions {
  /** The plugin on the disk. Throws if there is none. */
  find(name: string): Plugin;
  /** What the process of this plugin is started with. */
  settings(plugin: Plugin): Pick<PersistentProgram, 'env' | 'limits' | 'graceMs'>;
  now(): number;
}

const recentMs = 1000;

/** Persistent plugins as they were found a moment ago: a look at the disk for each job would cost more than the job. */
export const createPrograms = ({ find, settings, now }: ProgramsOptions) => {
  const found = new Map<string, { readonly plugin: Plugin; readonly at: number }>();
  const programs = new Map<string, { readonly plugin: Plugin; readonly program: PersistentProgram }>();
  return {
    /** Undefined: it has another mode. Throws as `find` does. */
    recent: (name: string): Plugin | undefined => {
      const known = found.get(name);
      if (known !== undefined && now() - known.at < recentMs) return known.plugin;
      found.delete(name);
      const plugin = find(name);
      if (plugin.manifest.mode !== 'persistent') return undefined;
      found.set(name, { plugin, at: now() });
      return plugin;
    },
    /** The program of this plugin: the same object while the plugin has not changed. */
    of: (plugin: Plugin): PersistentProgram => {
      const known = programs.get(plugin.name);
      if (known !== undefined && isSame(known.plugin, plugin)) return known.program;
      const { name, executable, manifest } = plugin;
      const program = { plugin: name, executable, concurrency: manifest.concurrency, ...settings(plugin) };
      programs.set(name, { plugin, program });
      return program;
    },
  };
};

/** Manifests are read anew only when their text has changed. */
const isSame = (a: Plugin, b: Plugin): boolean =>
  a === b || (a.executable === b.executable && a.version === b.version && a.manifest === b.manifest);

/** What a job asks of a persistent plugin. */
export const callOf = (
  job: Pick<Job, 'id'> & { readonly request: JobRequest },
  parts: Pick<PersistentCall, 'program' | 'args' | 'context' | 'timeoutMs' | 'maxOutputBytes'> & {
    readonly terms: RunTerms;
  },
): PersistentCall => {
  const { argv, payload, payloadEncoding } = job.request;
  return { id: job.id, argv, payload, ...(payloadEncoding === undefined ? {} : { payloadEncoding }), ...parts };
};
