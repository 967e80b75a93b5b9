import { Sweeper } from '../watch/sweeper/sweeper.ts';
import { clock, type Parts } from './parts.ts';

/** Stands for the office of the one that keeps etcd tidy, once it is started; undefined if the configuration forbids it. */
export const buildSweeper = ({ options, config, place }: Parts): Sweeper | undefined => {
  if (!config.sweeper.enabled) return undefined;
  return new Sweeper({
    ...place,
    node: options.node,
    everyMs: config.sweeper.interval,
    abandonedMs: config.sweeper.abandoned,
    firingsKept: config.history.firings_keep,
    requestsMaxAgeMs: config.history.requests_max_age,
    requestsSize: config.history.requests_size,
    firingsMaxAgeMs: config.history.firings_max_age,
    clock,
    log: options.log,
  });
};
