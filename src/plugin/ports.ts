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
  /** Absolute path of the executable; null when the manifest's driver needs none. */
  readonly executable: string;
  /** Another one when the executable is another one: its inode, size and time. */
  readonly version: string;
  readonly manifestFile: string;
  readonly manifestText: string;
}

/** Facts about the machine that the puppet driver needs. Nothing throws for a file that is not there. */
export interface PuppetHost {
  /** `puppet config print` for these settings; undefined when Puppet can't be asked. */
  settings(query: PuppetSettingsQuery): Promise<PuppetSettings | undefined>;
  /** The file's text, or undefined when it does not exist. */
  readFile(path: string): Promise<string | undefined>;
  /** Lines of a large file, one by one; none when it does not exist. */
  readLines(path: string): AsyncIterable<string>;
  /** Command line of a live process, or undefined. */
  commandLine(pid: number): Promise<readonly string[] | undefined>;
}

export interface PuppetSettingsQuery {
  /** The program as `run_cmd` names it. */
  readonly program: string;
  readonly section: 'agent' | 'user';
  /** Settings given on the command line that move files, e.g. `--confdir=/x`. */
  readonly options: readonly string[];
}

/** As Puppet itself answers; mostly paths. */
export interface PuppetSettings {
  readonly lastRunFile: string;
  readonly lastRunReport: string;
  readonly runLockFile: string;
  readonly disabledLockFile: string;
  /** Held while an agent sees to its certificates: at the start of every run. */
  readonly sslLockFile: string;
  /** Which an agent asks its server for, unless its command line names another one. */
  readonly environment: string;
}
