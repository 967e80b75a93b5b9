/** Where plugins lie. Methods are synchronous: a few `stat` calls and a small file, looked at before a job is accepted. */
export interface PluginFiles {
  /**
   * Finds the plugin below the plugins folder. Throws `plugin-not-found`, or `plugin-unsafe` when anybody else could
   * change it or a link leads outside the folder.
   */
  find(name: string): PluginSource;
  /** Canonical names of all plugins, sorted. */
  names(): string[];
}

export interface PluginSource {
  readonly name: string;
  /** Absolute path of the executable. */
  readonly executable: string;
  /** Another one when the executable is another one: its inode, size and time. */
  readonly version: string;
  /** The manifest; of a plugin that has none, the executable. */
  readonly manifestFile: string;
  /** Null: the plugin has no manifest, so it gets the defaults. */
  readonly manifestText: string | null;
}

/** What came of reading a file that others may have written. */
export type FileState =
  | { readonly kind: 'absent' }
  /** `uid`: whose file it is. */
  | { readonly kind: 'read'; readonly uid: number }
  /** This user may not read it. */
  | { readonly kind: 'forbidden' }
  /** Not what it should be: a FIFO, a link, a stranger's file, one of gigabytes. `why` continues “is not read:”. */
  | { readonly kind: 'refused'; readonly why: string };

export type FileText =
  | Exclude<FileState, { readonly kind: 'read' }>
  | { readonly kind: 'read'; readonly uid: number; readonly text: string };

/** Facts about the machine that the puppet driver needs. Nothing throws for a file, whatever it is. */
export interface PuppetHost {
  /** `puppet config print` for these settings; undefined when Puppet cannot be asked, or must not be. */
  settings(query: PuppetSettingsQuery): Promise<PuppetSettings | undefined>;
  /** Why Puppet must not be asked: root would run a program that others can change. Null: it may. */
  refusal(query: Pick<PuppetSettingsQuery, 'programs'>): Promise<string | null>;
  /** A lock: a small text of whoever it is. */
  readLock(path: string): Promise<FileText>;
  /** A summary that one of these users wrote. */
  readSummary(path: string, owners: readonly number[]): Promise<FileText>;
  /** The lines of a report that one of these users wrote, one by one; it may have many megabytes. */
  readReport(path: string, owners: readonly number[], onLine: (line: string) => void): Promise<FileState>;
  /**
   * Moves a report to the place where monitoring reads it, with the owner and mode that Puppet would have given it there. Where
   * there is none, nothing happens.
   */
  moveReport(from: string, to: string): Promise<void>;
  /** A live process, or undefined. */
  process(pid: number): Promise<ProcessFacts | undefined>;
}

export interface ProcessFacts {
  /** Name of the process in the kernel, 15 characters at most. */
  readonly name: string;
  readonly argv: readonly string[];
}

export interface PuppetSettingsQuery {
  /** The words that start Puppet, with everything that stands before it: `sudo`, `-u`, `deploy`, `/home/deploy/bin/puppet`. */
  readonly command: readonly string[];
  /** The programs among them, with the user that each runs as; null: the daemon's own. */
  readonly programs: readonly RunProgram[];
  /** The user that Puppet runs as; null: the daemon's. */
  readonly user: string | null;
  readonly section: 'agent' | 'user';
  /** Settings given on the command line that move files, e.g. `--confdir=/x`. */
  readonly options: readonly string[];
}

export interface RunProgram {
  /** Path, or name for `PATH`, as on the command line. */
  readonly program: string;
  readonly user: string | null;
  /** `PATH` if it differs from that of jobs; null: that of jobs. */
  readonly searchPath: string | null;
}

/** Settings as Puppet prints them; mostly paths. */
export interface PuppetSettings {
  readonly lastRunFile: string;
  readonly lastRunReport: string;
  readonly runLockFile: string;
  readonly disabledLockFile: string;
  /** Held while an agent sees to its certificates: at the start of every run. */
  readonly sslLockFile: string;
  /** Which an agent asks its server for, unless its command line names another one. */
  readonly environment: string;
  /** What `puppet.conf` limits runs to, and leaves out of them; empty: nothing. */
  readonly tags: string;
  readonly skipTags: string;
  /** The node that a report names: whose catalogue a run applies. */
  readonly reportHost: string;
  /** Users whose summary and report count: root, the daemon's own, and the one that Puppet is started as. */
  readonly owners: readonly number[];
}
