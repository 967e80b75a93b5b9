import { renderNodes } from '../render/nodes.ts';
import type { HelpText } from '../support/help.ts';
import { printing } from '../support/print.ts';

export const help: HelpText = {
  examples: ['trigger nodes', "trigger nodes --json | jq '.[] | select(.present | not)'"],
};

export const define = printing('/v1/nodes', renderNodes);
