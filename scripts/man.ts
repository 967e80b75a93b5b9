/** Writes the manual pages: `tsx scripts/man.ts FOLDER VERSION`. $SOURCE_DATE_EPOCH sets their date. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { triggerfsCommand } from '../src/cli/command-lines/triggerfs.ts';
import { triggerfsCliCommand } from '../src/cli/command-lines/triggerfs-cli.ts';
import { triggerfsClientCommand } from '../src/cli/command-lines/triggerfs-client.ts';
import { triggerfsWorkerCommand } from '../src/cli/command-lines/triggerfs-worker.ts';
import { configPage } from './man/config-page.ts';
import { triggerPage } from './man/trigger-page.ts';
import { triggerdPage } from './man/triggerd-page.ts';
import { triggerfsPage } from './man/triggerfs-page.ts';

const [folder, version] = process.argv.slice(2);
if (folder === undefined || version === undefined) throw new Error('usage: man.ts FOLDER VERSION');

const epoch = process.env['SOURCE_DATE_EPOCH'];
const made = epoch === undefined ? new Date() : new Date(Number(epoch) * 1000);
const of = { version, date: made.toISOString().slice(0, 10) };

mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'trigger.1'), await triggerPage(of));
writeFileSync(join(folder, 'triggerd.8'), triggerdPage(of));
writeFileSync(join(folder, 'triggerd.toml.5'), configPage(of));
writeFileSync(
  join(folder, 'triggerfs-client.1'),
  triggerfsPage(triggerfsClientCommand(), 'send a request to a service', of),
);
writeFileSync(
  join(folder, 'triggerfs-worker.1'),
  triggerfsPage(triggerfsWorkerCommand(), 'run the requests of a worker', of),
);
writeFileSync(
  join(folder, 'triggerfs-cli.1'),
  triggerfsPage(triggerfsCliCommand(), 'configure triggerFS with its console', of),
);
writeFileSync(join(folder, 'triggerfs.1'), triggerfsPage(triggerfsCommand(), 'mount the trigger files', of));
