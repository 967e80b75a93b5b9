import { fullPluginName } from '../../bus/client/bus-client.ts';
import type { RequestOptions } from '../../client/client.ts';
import { TriggerdError } from '../../domain/errors.ts';
import type { RequestFlags } from '../command-lines/triggerfs-client.ts';
import { checkShowing } from '../support/few-replies.ts';
import { filterOf } from '../support/reply-filter.ts';
import { requestChain } from '../support/run-chain.ts';
import type { Session } from '../support/session.ts';
import type { RepliesShown } from './print-replies.ts';
import { readPayload } from './read-payload.ts';

/** Options that are whole. Throws `usage`, `plugin-name-invalid`. */
export const checkedFlags = (flags: RequestFlags): CheckedFlags => {
  checkShowing(flags);
  return {
    ...flags,
    service: given(flags.service, 'service'),
    plugin: fullPluginName(given(flags.plugin, 'plugin')),
  };
};

/** Which workers are to be shown. */
export const repliesOf = ({ all = false, filterReplies }: RequestFlags, onTerminal: boolean): RepliesShown => ({
  all,
  onTerminal,
  filter: filterOf(filterReplies),
});

export type CheckedFlags = RequestFlags & Pick<RequestOptions, 'service' | 'plugin'>;

/** What the command line asks for, with stdin read where it is the payload. */
export const orderOf = async (
  { service, plugin, command, args = {}, timeout }: CheckedFlags,
  { terminal, env, interrupt }: Pick<Session, 'terminal' | 'env' | 'interrupt'>,
): Promise<RequestOptions> => ({
  service,
  plugin,
  args,
  ...requestChain(env),
  ...(timeout === undefined ? {} : { timeoutMs: timeout }),
  payload: command ?? (await readPayload(terminal, interrupt)),
});

const given = (value: string | undefined, name: string): string => {
  if (value === undefined || value === '') throw new TriggerdError('usage', `--${name} is missing`);
  return value;
};
