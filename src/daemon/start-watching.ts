import { configuredWorkers } from '../config/configured-workers.ts';
import type { Outcome } from '../domain/outcome.ts';
import { outcomeEvent } from '../events/firing-events.ts';
import { EndedElsewhere } from '../watch/ended-elsewhere.ts';
import { IdMemory } from '../watch/id-memory.ts';
import { InboxWatcher } from '../watch/inbox-watcher.ts';
import { NodePresence } from '../watch/node-presence.ts';
import { OutcomePublisher } from '../watch/outcome-publisher.ts';
import { observedIntake, type TriggerNames } from './observe.ts';
import { readOutputTail } from './outputs-service.ts';
import { clock, type Parts } from './parts.ts';
import type { Releasers } from './releasers.ts';

/** How long a stop waits for outcomes that etcd does not have yet; the next start publishes the rest. */
const flushMs = 2_000;

/** Deals with firings that others end. */
export const buildEndedElsewhere = ({ options, journal, queues, place }: Parts): EndedElsewhere => {
  const { node, log } = options;
  return new EndedElsewhere({ ...place, node, firings: journal.firings, queues, clock, log });
};

/** Tells etcd what becomes of firings. */
export const publishOutcomes = (
  { options, journal, queues, place, events, metrics }: Parts,
  elsewhere: EndedElsewhere,
  names: TriggerNames,
  releasers: Releasers,
): OutcomePublisher => {
  const { node, log } = options;
  const sources = { firings: journal.firings, queues, readTail: readOutputTail };
  const onEndedElsewhere = elsewhere.ended.bind(elsewhere);
  const onRecorded = (outcome: Outcome): void => {
    metrics.outcomeRecorded(outcome.stage);
    for (const event of outcomeEvent(outcome, names.of(outcome.firing) ?? null, clock.now())) events.tell(event);
  };
  const publisher = new OutcomePublisher({ ...place, ...sources, node, onEndedElsewhere, onRecorded, log });
  publisher.start();
  releasers.push('outcomes', () => publisher.close(flushMs));
  return publisher;
};

/** Says in etcd that this node is there. */
export const announce = ({ options, config, queues, place }: Parts, releasers: Releasers): NodePresence => {
  const { node, version, log } = options;
  const roles = [
    ...(config.watch.enabled ? ['watch'] : []),
    ...(config.broker === undefined ? [] : ['broker']),
    ...(configuredWorkers(config).length === 0 ? [] : ['worker']),
  ];
  const presence = new NodePresence({ ...place, node, version, roles, startedAt: clock.now(), queues, clock, log });
  presence.start();
  releasers.push('presence', () => presence.close());
  return presence;
};

/** Remembers which firings this node has seen, for as long as the configuration says. */
export const rememberIds = ({ options, config, journal }: Parts, releasers: Releasers): IdMemory => {
  const ids = new IdMemory({ firings: journal.firings, keepMs: config.history.ids, clock, log: options.log });
  ids.start();
  releasers.push('id memory', () => ids.stop());
  return ids;
};

interface Neighbours {
  readonly outcomes: OutcomePublisher;
  readonly elsewhere: EndedElsewhere;
  readonly presence: NodePresence;
  readonly ids: IdMemory;
  readonly names: TriggerNames;
}

/** The watcher of this node's inbox; not started yet. */
export const buildWatcher = (parts: Parts, { outcomes, elsewhere, presence, ids, names }: Neighbours): InboxWatcher => {
  const { options, journal, plugins, place, events } = parts;
  return new InboxWatcher({
    ...place,
    node: options.node,
    firings: journal.firings,
    intake: observedIntake(parts, names),
    decideJob: (firing) => plugins.decideJob(firing),
    ids,
    outcomes,
    onKillWished: (id, reason) => elsewhere.killWished(id, reason),
    clock,
    log: options.log,
    onConnected: () => {
      // A replaced etcd has never seen this node.
      presence.join();
      events.tell({ kind: 'etcd.back' });
    },
    onLost: ({ message }) => events.tell({ kind: 'etcd.lost', reason: message }),
  });
};
