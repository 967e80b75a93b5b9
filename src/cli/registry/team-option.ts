import type { Command } from 'commander';

export const addTeamOption = (command: Command): Command =>
  command.option('--team <team>', 'team (default: [main] team, else the only one)');
