import { errorCatalogue } from '../../domain/errors.ts';
import type { Log } from '../../kit/log.ts';
import type { WorkerEvent } from '../../worker/ports.ts';

/** What happens to workers, in the words of triggerFS' documentation. The same trouble is told once. */
export const createWorkerLog = (log: Log): ((event: WorkerEvent) => void) => {
  const troubles = new Map<string, string>();
  /** Whether this is news. */
  const isNew = ({ worker, endpoint }: WorkerEvent, trouble: string): boolean => {
    const of = `${worker} ${endpoint}`;
    const before = troubles.get(of);
    troubles.set(of, trouble);
    return before !== trouble;
  };
  return (event) => {
    const { worker, endpoint } = event;
    const at = { worker, broker: endpoint };
    switch (event.kind) {
      case 'connecting':
        log.debug(at, `connecting to broker at ${endpoint}...`);
        log.debug(at, 'trying to connect recv socket to broker');
        log.debug(at, 'trying to connect send socket to broker');
        break;
      case 'connected':
        troubles.delete(`${worker} ${endpoint}`);
        log.info(at, 'received BROKER_ACCEPTED from broker for worker socket - Connected');
        break;
      case 'announcing':
        log.info(at, `Found service ${event.service}. Announcing it to broker.`);
        break;
      case 'heartbeat':
        log.debug(at, 'received HEARTBEAT for worker socket from broker.');
        break;
      case 'refused': {
        const { code, message } = event.refusal;
        const facts = { ...at, code, remedy: remedyOf(code, worker), retry_in_ms: event.retryMs };
        const text = `The broker at ${endpoint} refused the worker: ${message}`;
        if (isNew(event, message)) log.error(facts, text);
        else log.debug(facts, text);
        break;
      }
      case 'lost': {
        const text = event.wasServing
          ? `The broker at ${endpoint} is lost, retrying: ${event.reason}`
          : `The broker at ${endpoint} does not answer, retrying: ${event.reason}`;
        if (isNew(event, event.reason)) log.warn(at, text);
        else log.debug(at, text);
        break;
      }
      case 'goodbye':
        log.info(at, `The broker at ${endpoint} is stopping`);
        break;
      case 'left':
        log.info(at, `The worker has left the broker at ${endpoint}`);
        break;
      case 'request': {
        const { id, service, plugin, user } = event;
        log.debug({ worker, broker: endpoint, request: id, service, plugin, user }, 'Received a request');
        break;
      }
      case 'answered': {
        const { id, job, outcome } = event;
        const { result, exit_code, code } = outcome;
        log.debug({ worker, broker: endpoint, request: id, job, result, exit_code, code }, 'Answered a request');
        break;
      }
    }
  };
};

const remedyOf = (code: keyof typeof errorCatalogue, worker: string): string =>
  errorCatalogue[code].remedy.replace('[workers.TEAM.IDENTITY]', `[workers.${worker.replace('/', '.')}]`);
