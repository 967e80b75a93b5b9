/** `trigger cancel`: one line for every node. */
import type { CancelledNodeView, CancelledView } from '../../api/contract/firings.ts';
import { visible } from '../../kit/text.ts';
import { padEnd, widthOf } from '../../kit/width.ts';

export const renderCancelled = ({ nodes }: CancelledView): string => {
  const width = Math.max(0, ...Object.keys(nodes).map((node) => widthOf(visible(node))));
  return Object.entries(nodes)
    .map(([node, view]) => `${padEnd(visible(node), width)}  ${visible(inWords(view))}`)
    .join('\n');
};

const inWords = ({ did, stage, result, reason }: CancelledNodeView): string => {
  switch (did) {
    case 'cancelled':
      return 'cancelled';
    case 'running':
      return 'running, left alone (--kill ends it)';
    case 'kill-asked':
      return 'running, asked to end it';
    case 'ended':
      return `had ended: ${[stage, result, reason].filter((part) => part !== null).join(' ')}`;
  }
};
