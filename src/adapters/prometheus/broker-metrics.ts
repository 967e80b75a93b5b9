import { Counter, Histogram, type Registry } from 'prom-client';
import { gaugesOf } from './add-gauge.ts';

/** What is looked up when somebody asks. */
export interface BrokerNumbers {
  readonly peers: number;
  readonly workers: number;
  readonly requests: number;
  readonly queued: number;
  readonly historyDropped: number;
}

export interface BrokerMetrics {
  requestFinished(result: string, durationMs: number): void;
  refused(code: string): void;
  malformed(): void;
  /** Adds what is looked up; once. */
  lookUp(numbers: () => BrokerNumbers): void;
}

const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 300, 3600];

/** The metrics of a broker: `docs/reference/metrics.md`. No label comes from the wire: results and codes are from our own lists. */
export const createBrokerMetrics = (registry: Registry): BrokerMetrics => {
  const registers = [registry];
  const requests = new Counter({
    name: 'triggerd_broker_requests_total',
    help: 'Requests that ended at this broker, by result.',
    labelNames: ['result'],
    registers,
  });
  const durations = new Histogram({
    name: 'triggerd_broker_request_seconds',
    help: 'Time in seconds from the receipt of a request to its end.',
    buckets,
    registers,
  });
  const refusals = new Counter({
    name: 'triggerd_broker_refusals_total',
    help: 'Refusals to clients and workers, by error code.',
    labelNames: ['code'],
    registers,
  });
  const malformed = new Counter({
    name: 'triggerd_broker_malformed_total',
    help: 'Messages that the broker could not decode.',
    registers,
  });
  return {
    requestFinished: (result, durationMs) => {
      requests.inc({ result });
      durations.observe(durationMs / 1000);
    },
    refused: (code) => refusals.inc({ code }),
    malformed: () => malformed.inc(),
    lookUp: (numbers) => {
      const gauge = gaugesOf(registry);
      gauge('triggerd_broker_peers', 'Connected clients and workers.', () => numbers().peers);
      gauge('triggerd_broker_workers', 'Connected workers.', () => numbers().workers);
      gauge('triggerd_broker_requests', 'Requests that wait or run.', () => numbers().requests);
      gauge('triggerd_broker_requests_queued', 'Requests that wait for a worker.', () => numbers().queued);
      gauge(
        'triggerd_broker_history_dropped',
        'Records of requests that the broker dropped because etcd was away for long, or because they were too many.',
        () => numbers().historyDropped,
      );
    },
  };
};
