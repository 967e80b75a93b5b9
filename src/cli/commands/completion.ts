import { Argument } from 'commander';
import type { Define } from '../command.ts';
import { completionScripts } from '../completion/scripts.ts';
import type { HelpText } from '../support/options.ts';

export const help: HelpText = {
  details: `
Completes commands, options, and current names: queues, jobs, firings, nodes, plugins. The Debian package installs these
scripts.`,
  examples: [
    'source <(trigger completion bash)',
    'trigger completion zsh > ~/.zfunc/_trigger',
    'trigger completion fish > ~/.config/fish/completions/trigger.fish',
  ],
};

export const define: Define = (command, run) =>
  command.addArgument(new Argument('<shell>', 'which shell').choices(Object.keys(completionScripts))).action(
    run(async ({ terminal }, shell: keyof typeof completionScripts) => {
      await terminal.out(completionScripts[shell]);
    }),
  );
