import type { Command } from 'commander';

export const addTeamOption = (command: Command): Command =>
  command.option('--team <team>', 'the team that is meant (default: [main] team, else the only one)');
