import { triggerdCommand } from '../../src/cli/command-lines/triggerd.ts';
import { helpOf, paragraphsOf } from '../../src/cli/support/options.ts';
import { describeOptions } from './commands.ts';
import { example, item, type PageTitle, page, paragraph, section, title } from './roff.ts';

/** triggerd(8). */
export const triggerdPage = (of: Pick<PageTitle, 'date' | 'version'>): string => {
  const command = triggerdCommand();
  const help = helpOf(command);
  return page(
    title({ name: 'triggerd', section: 8, ...of }),
    section('name'),
    'triggerd \\- run jobs when something changes on other nodes',
    section('synopsis'),
    '.B triggerd\n[\\fB\\-\\-config\\fP \\fIfile\\fP] [\\fB\\-\\-socket\\fP \\fIpath\\fP]',
    section('description'),
    paragraph(command.description()),
    paragraphsOf(help?.details).map(paragraph),
    paragraph(
      'A runner process holds each job, so jobs continue while the daemon is stopped, restarted or upgraded. The daemon then collects their output and exit codes at its next start. Under `systemd`(1) each job is a unit, `triggerd-job-*.service`.',
    ),
    section('options'),
    describeOptions(command.options),
    section('signals'),
    item('SIGHUP', 'Reload the configuration. A file with errors changes nothing.'),
    item(
      'SIGTERM, SIGINT',
      'Stop. Running jobs continue. Requests have 30 s to finish; a second signal ends them at once.',
    ),
    section('exit status'),
    item('0', 'Stopped by a signal.'),
    item('1', 'The start or the daemon failed; for example, another daemon uses the state directory.'),
    item('2', 'The command line or the configuration has an error.'),
    section('files'),
    item('/etc/triggerd/triggerd.toml', 'The configuration; see `triggerd.toml`(5).'),
    item('/var/lib/triggerd', 'The journal and the files of the jobs.'),
    item(
      '/run/triggerd/triggerd.sock',
      'The control socket, for root and the group `triggerd`. Anyone who can use it can run commands as root.',
    ),
    section('examples'),
    example(help?.examples ?? []),
    section('see also'),
    '.BR trigger (1),\n.BR triggerd.toml (5)',
  );
};
