import type { WhyView } from '../../api/contract/why.ts';
import { TriggerdError } from '../../domain/errors.ts';
import type { Define } from '../command.ts';
import { renderWhy } from '../render/why.ts';
import { renderDot } from '../render/why-dot.ts';
import { type HelpText, query } from '../support/options.ts';
import { print, type Session } from '../support/session.ts';

export const help: HelpText = {
  details: `
WHAT is one of these: a firing (its ID, or at least the first 6 characters of it), a job (its ID in this node’s queue), a
node (what ran there last, and the work owed to it), or a trigger (its last firing).

The first sentence says where the chain began. Below it, each firing (→) stands under its cause, and each run under its
firing; ← marks WHAT.`,
  examples: [
    'trigger why lb01.example.com',
    'trigger why 7',
    'trigger why 01K9ZQ4T --json | jq .runs',
    "trigger why 'refresh load balancers' --dot | dot -Tsvg > why.svg",
  ],
};

export const define: Define = (command, run) =>
  command
    .argument('<what>', 'firing, job, node or trigger')
    .option('--dot', 'print the graph for Graphviz')
    .action(run(why));

const why = async (session: Session, what: string, { dot }: { readonly dot?: boolean }): Promise<void> => {
  if (dot === true && session.json) throw new TriggerdError('usage', '--dot and --json exclude each other');
  const view = await session.client.request<WhyView>(`/v1/why${query({ what })}`);
  await print(session, view, (canvas) => (dot === true ? renderDot(view, canvas.now) : renderWhy(view, canvas)));
};
