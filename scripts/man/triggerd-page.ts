import { triggerdCommand } from '../../src/cli/command-lines/triggerd.ts';
import { helpOf, paragraphsOf } from '../../src/cli/support/help.ts';
import { describeOptions } from './commands.ts';
import { example, item, type PageTitle, page, paragraph, section, title } from './roff.ts';

/** triggerd(8). */
export const triggerdPage = (of: Pick<PageTitle, 'date' | 'version'>): string => {
  const command = triggerdCommand();
  const help = helpOf(command);
  return page(
    title({ name: 'triggerd', section: 8, ...of }),
    section('name'),
    'triggerd \\- run here what changes elsewhere call for',
    section('synopsis'),
    '.B triggerd\n[\\fB\\-\\-config\\fP \\fIfile\\fP] [\\fB\\-\\-socket\\fP \\fIpath\\fP]',
    section('description'),
    paragraph(command.description()),
    paragraphsOf(help?.details).map(paragraph),
    paragraph(
      'A job belongs to a runner and not to the daemon: it goes on while the daemon is stopped, restarted or upgraded, and the next start collects its output and exit code. Under `systemd`(1) each job is a unit of its own, `triggerd-job-*.service`.',
    ),
    section('options'),
    describeOptions(command.options),
    section('signals'),
    item('SIGHUP', 'Reload the configuration; a file that is wrong changes nothing.'),
    item('SIGTERM, SIGINT', 'Stop; running jobs go on. Requests have 30 s to finish; the second signal ends them.'),
    section('exit status'),
    item('0', 'Stopped as asked.'),
    item('1', 'Refused or failed, e.g. another daemon uses the state directory.'),
    item('2', 'The command line or the configuration is wrong.'),
    section('files'),
    item('/etc/triggerd/triggerd.toml', 'The configuration; see `triggerd.toml`(5).'),
    item('/var/lib/triggerd', 'The journal, and the jobs’ files.'),
    item(
      '/run/triggerd/triggerd.sock',
      'The control socket, for root and the group `triggerd`. Who may use it can run commands as root.',
    ),
    section('examples'),
    example(help?.examples ?? []),
    section('see also'),
    '.BR trigger (1),\n.BR triggerd.toml (5)',
  );
};
