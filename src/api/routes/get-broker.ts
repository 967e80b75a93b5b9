import { TriggerdError } from '../../domain/errors.ts';
import type { Verb } from '../verb.ts';

export const getBroker: Verb = (app, { brokers }) => {
  app.get('/v1/broker', async () => {
    const own = brokers.own();
    if (own === null) throw new TriggerdError('broker-missing', 'this daemon is no broker: it has no [broker] section');
    return own;
  });
};
