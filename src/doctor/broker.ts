import { advertisedBroker } from '../config/advertised-broker.ts';
import { configuredBrokers } from '../config/configured-brokers.ts';
import type { Config } from '../config/schema.ts';
import { parseAddress } from '../domain/address.ts';
import { asTriggerdError } from '../domain/errors.ts';
import { type Finding, fine, unused, warning, wrong } from './finding.ts';
import type { Machine } from './ports.ts';

/** Whether the broker that this machine is, and those that it uses, take connections. */
export const checkBroker = async (machine: Machine, config: Config): Promise<Finding[]> => {
  const { broker, main } = config;
  if (broker === undefined && main.broker === undefined)
    return [unused('broker', 'none configured ([broker], [main] broker)')];
  const [own, used] = await Promise.all([
    broker === undefined ? [] : checkOwn(machine, broker, config.node.name),
    main.broker === undefined ? [] : checkUsed(machine, main),
  ]);
  return [...own, ...used];
};

const checkOwn = async (
  machine: Machine,
  broker: NonNullable<Config['broker']>,
  node: string | undefined,
): Promise<Finding[]> => {
  const here = broker.listen.replace('//0.0.0.0:', '//127.0.0.1:');
  if (!(await accepts(machine, here)))
    return [wrong('broker', `${here} takes no connection`, 'Start triggerd, or look into its log.')];
  const told = node === undefined ? broker.advertise : advertisedBroker(broker, node);
  if (told === undefined || (await accepts(machine, told))) return [fine('broker', `${here} takes connections`)];
  return [
    warning(
      'broker',
      `others are told to connect to ${told}, which takes no connection from here`,
      'Set [broker] advertise to where they reach it.',
    ),
  ];
};

const checkUsed = async (machine: Machine, main: Config['main']): Promise<Finding[]> => {
  try {
    return await Promise.all(
      configuredBrokers(main).map(async ({ endpoint }) =>
        (await accepts(machine, endpoint))
          ? fine('broker', `${endpoint} takes connections`)
          : wrong('broker', `${endpoint} takes no connection`, 'Start the broker there, or correct [main] broker.'),
      ),
    );
  } catch (thrown) {
    const { message, remedy } = asTriggerdError(thrown);
    return [wrong('broker', message, remedy)];
  }
};

const accepts = (machine: Machine, address: string): Promise<boolean> => {
  const parsed = parseAddress('connect', address);
  return typeof parsed === 'string' ? Promise.resolve(false) : machine.accepts(parsed.host, parsed.port);
};
