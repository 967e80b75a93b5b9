import type { BrokerMetrics } from '../../adapters/prometheus/broker-metrics.ts';
import type { BrokerObserver } from '../../broker/options.ts';
import type { RequestRecord } from '../../domain/request-record.ts';
import { cutReason, type RequestFinishedFacts } from '../../events/event.ts';
import type { Runtime } from './runtime.ts';

/** Requests may come by the thousand in a second, and the log of events is small: beyond this they are only counted. */
const eventsPerSecond = 50;

/** What a broker sees, as events and metrics. */
export const observeBroker = ({ events }: Pick<Runtime, 'events'>, metrics: BrokerMetrics): BrokerObserver => {
  const mayTell = perSecond(eventsPerSecond);
  return {
    requestReceived: ({ id, user, service }) => {
      if (mayTell()) events.tell({ kind: 'request.received', request: id, user, service });
    },
    requestFinished: (record) => {
      const duration = Date.parse(record.finished_at) - Date.parse(record.received_at);
      metrics.requestFinished(record.result, duration);
      if (mayTell()) events.tell(finishedEvent(record, duration));
    },
    workerOnline: ({ team, identity, node: host }) =>
      events.tell({ kind: 'worker.online', team, worker: identity, host }),
    workerOffline: ({ team, identity, node: host, reason }) =>
      events.tell({ kind: 'worker.offline', team, worker: identity, host, reason: cutReason(reason) }),
    malformed: () => metrics.malformed(),
    refused: (code) => metrics.refused(code),
  };
};

const finishedEvent = (record: RequestRecord, duration_ms: number): RequestFinishedFacts => {
  const { id, user, team, service, service_team, result, exit_code, reason, legs } = record;
  return {
    kind: 'request.finished',
    request: id,
    user: `${user}@${team}`,
    service: `${service_team}/${service}`,
    workers: legs.slice(0, 10).map(({ worker }) => worker),
    result,
    exit_code,
    reason: reason === null ? null : cutReason(reason),
    duration_ms,
  };
};

const perSecond = (limit: number): (() => boolean) => {
  let begun = 0;
  let count = 0;
  return () => {
    const now = performance.now();
    if (now - begun >= 1_000) {
      begun = now;
      count = 0;
    }
    return ++count <= limit;
  };
};
