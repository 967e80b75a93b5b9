import type { FileText, ProcessFacts, PuppetHost, PuppetSettings } from '../../src/plugin/ports.ts';

export const puppetSettings: PuppetSettings = {
  lastRunFile: '/s/summary',
  lastRunReport: '/s/report',
  runLockFile: '/s/lock',
  disabledLockFile: '/s/disabled',
  sslLockFile: '/s/ssl.lock',
  environment: 'production',
  reportHost: 'lb01',
  tags: '',
  skipTags: '',
  owners: [0],
};

/** A machine with these files; a text is a file of root's. */
export const puppetHost = (
  files: Readonly<Record<string, string | FileText | undefined>>,
  processes: Readonly<Record<number, ProcessFacts>> = {},
): PuppetHost & { readonly placed: string[] } => {
  const placed: string[] = [];
  const read = async (path: string): Promise<FileText> => {
    const file = files[path];
    if (file === undefined) return { kind: 'absent' };
    return typeof file === 'string' ? { kind: 'read', uid: 0, text: file } : file;
  };
  return {
    settings: async () => puppetSettings,
    refusal: async () => null,
    readLock: read,
    readSummary: read,
    readReport: async (path, _owners, onLine) => {
      const file = await read(path);
      if (file.kind === 'read') for (const line of file.text.split('\n')) onLine(line);
      return file;
    },
    moveReport: async (from, to) => {
      if (files[from] !== undefined) placed.push(to);
    },
    placed,
    process: async (pid) => processes[pid],
  };
};
