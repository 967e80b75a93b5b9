// Trigger files as a daemon has them, with the services away: node file-host.mjs MOUNTPOINT STATE_DIR
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openJournal } from '../../dist/adapters/sqlite/open-journal.js';
import { startMountHost } from '../../dist/daemon/mount/mount-host.js';
import { TriggerdError } from '../../dist/domain/errors.js';
import { silentLog } from '../../dist/kit/log.js';
import { createReleasers } from '../../dist/kit/releasers.js';

const [mountpoint, stateDir] = process.argv.slice(2);
mkdirSync(stateDir, { recursive: true });
const at = '2026-01-01T00:00:00.000Z';
const record = { description: '', owner: 'hp', created_at: at, updated_at: at };
const trigger = (id, name, change) => ({
  ...record,
  ...{ kind: 'definition', id, parent: 1, name, plugin: 'log', service: 'logs', args: {}, timeout_ms: null },
  ...{ visibility: 'team', framing: 'write', delivery: 'async', durable: true, max_message: 1_048_576, mode: 0o666 },
  ...change,
});
const tree = {
  team: 'team1',
  directories: [{ ...record, kind: 'directory', id: 1, parent: 0, name: 'bench', mode: 0o777 }],
  definitions: [
    trigger(2, 'durable', {}),
    trigger(3, 'quick', { durable: false }),
    ...Array.from({ length: 16 }, (_, i) => trigger(10 + i, `durable${i}`, {})),
  ],
};
const releasers = createReleasers(silentLog);
const journal = openJournal({ file: join(stateDir, 'journal.db'), jobsDir: stateDir });
const { mounted } = startMountHost(
  {
    settings: {
      mountpoint,
      allowOther: false,
      log: { level: 'fatal', format: 'json', node: 'bench', isTerminal: false },
    },
    installRoot: join(import.meta.dirname, '../..'),
    spool: journal.fileMessages('team1'),
    sender: { send: async () => ({ kind: 'failed', error: new TriggerdError('broker-unreachable', 'away') }) },
    source: { current: () => tree, onChange: () => () => undefined, execute: async () => undefined },
    hits: { publish: async () => undefined },
    deadlineMs: 86_400_000,
    maxSpooledBytes: 4_294_967_296,
    onOutput: () => undefined,
    log: silentLog,
  },
  releasers,
);
await mounted;
console.log('ready');
process.on('SIGTERM', () => void releasers.release().then(() => process.exit()));
