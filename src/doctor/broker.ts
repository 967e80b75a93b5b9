import { advertisedBroker, configuredBrokers, reachedHere, workersBrokers } from '../config/brokers.ts';
import type { Config } from '../config/schema.ts';
import type { BrokerEndpoint } from '../domain/broker-address.ts';
import { asTriggerdError } from '../domain/errors.ts';
import { parseAddress } from '../kit/address.ts';
import { type Finding, findingsIn } from './finding.ts';
import type { Machine, Surroundings } from './ports.ts';

const { fine, unused, warning, wrong } = findingsIn('broker');

type BrokerSection = NonNullable<Config['broker']>;

/** Whether the broker that this machine is, and those that it uses, take connections. */
export const checkBroker = async (
  { machine, daemon }: Pick<Surroundings, 'machine' | 'daemon'>,
  config: Config,
): Promise<Finding[]> => {
  const { broker, main, workers } = config;
  if ([broker, main.broker, workers.broker].every((each) => each === undefined))
    return [unused('none configured ([broker], [main] broker, [workers] broker)')];
  const found = await Promise.all([
    broker === undefined ? [] : checkOwn(machine, await asItRuns(daemon, broker), config.node.name),
    main.broker === undefined ? [] : checkUsed(machine, '[main]', () => configuredBrokers(main)),
    workers.broker === undefined ? [] : checkUsed(machine, '[workers]', () => workersBrokers(config)),
  ]);
  return found.flat();
};

/** A port that the kernel has chosen is known only to the daemon. */
const asItRuns = async (daemon: Surroundings['daemon'], broker: BrokerSection): Promise<BrokerSection> => {
  const parsed = parseAddress('listen', broker.listen);
  if (typeof parsed === 'string' || parsed.port !== 0) return broker;
  return daemon.broker().then(
    ({ listen }) => ({ ...broker, listen }),
    () => broker,
  );
};

const checkOwn = async (machine: Machine, broker: BrokerSection, node: string | undefined): Promise<Finding[]> => {
  const here = reachedHere(broker.listen);
  if (!(await accepts(machine, here)))
    return [wrong(`${here} accepts no connection`, 'Start triggerd, or read its log.')];
  const told = node === undefined ? broker.advertise : advertisedBroker(broker, node);
  if (told === undefined || (await accepts(machine, told))) return [fine(`${here} accepts connections`)];
  return [
    warning(
      `clients are told to connect to ${told}, which accepts no connection from here`,
      'Set [broker] advertise to an address that clients can reach.',
    ),
  ];
};

const checkUsed = async (
  machine: Machine,
  section: '[main]' | '[workers]',
  brokers: () => readonly BrokerEndpoint[],
): Promise<Finding[]> => {
  try {
    return await Promise.all(
      brokers().map(async ({ endpoint }) =>
        (await accepts(machine, endpoint))
          ? fine(`${endpoint} accepts connections`)
          : wrong(`${endpoint} accepts no connection`, `Start the broker there, or correct ${section} broker.`),
      ),
    );
  } catch (thrown) {
    const { message, remedy } = asTriggerdError(thrown);
    return [wrong(message, remedy)];
  }
};

const accepts = (machine: Machine, address: string): Promise<boolean> => {
  const parsed = parseAddress('connect', address);
  return typeof parsed === 'string' ? Promise.resolve(false) : machine.accepts(parsed.host, parsed.port);
};
