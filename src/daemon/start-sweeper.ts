import { Sweeper } from '../watch/sweeper/sweeper.ts';
import { clock, type Parts } from './parts.ts';
import type { Releasers } from './releasers.ts';

/** Stands for the office of the one that keeps etcd tidy, if the configuration lets it. */
export const startSweeper = ({ options, config, place }: Parts, releasers: Releasers): void => {
  if (!config.sweeper.enabled) return;
  const sweeper = new Sweeper({
    ...place,
    node: options.node,
    everyMs: config.sweeper.interval,
    abandonedMs: config.sweeper.abandoned,
    firingsKept: config.history.firings_keep,
    firingsMaxAgeMs: config.history.firings_max_age,
    clock,
    log: options.log,
  });
  sweeper.start();
  releasers.push('sweeper', () => sweeper.stop());
};
