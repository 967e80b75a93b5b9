import { Sweeper } from '../../firings/sweep/sweeper.ts';
import { Upkeep } from '../../firings/sweep/upkeep.ts';
import { clock } from '../clock.ts';
import type { Runtime } from './runtime.ts';

/** A candidate for the one that keeps etcd tidy, once it is started; undefined if the configuration forbids it. */
export const buildSweeper = ({ options, config, keyspace, maintenance }: Runtime): Sweeper | undefined => {
  if (!config.sweeper.enabled) return undefined;
  return new Sweeper({
    ...keyspace,
    node: options.node,
    everyMs: config.sweeper.interval,
    abandonedMs: config.sweeper.abandoned,
    firingsKept: config.history.firings_keep,
    requestsMaxAgeMs: config.history.requests_max_age,
    requestsSize: config.history.requests_size,
    firingsMaxAgeMs: config.history.firings_max_age,
    upkeep: new Upkeep({
      maintenance,
      mode: config.sweeper.upkeep,
      compactAfterMs: config.sweeper.compact_after,
      log: options.log,
    }),
    clock,
    log: options.log,
  });
};
