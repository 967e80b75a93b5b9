import { expect, it, vi } from 'vitest';
import { mostBrokers } from '../../../src/bus/messages.ts';
import type { BrokerAddress } from '../../../src/domain/broker-address.ts';
import { brokerAddress, type FakeLink, greet, startFakeWorker } from '../../support/bus-worker.ts';
import { recordingLog } from '../../support/recording-log.ts';

const [one, two, three] = [brokerAddress('one'), brokerAddress('two'), brokerAddress('three')];

const open = (links: readonly FakeLink[]): string[] =>
  links.filter(({ isClosed }) => !isClosed).map(({ endpoint }) => endpoint);
const linkTo = (links: readonly FakeLink[], { endpoint }: BrokerAddress): FakeLink => {
  const link = links.findLast((each) => each.endpoint === endpoint && !each.isClosed);
  if (link === undefined) throw new Error(`no connection to ${endpoint}`);
  return link;
};

it('a worker connects to every broker that one broker names', () => {
  const { links } = startFakeWorker();
  greet(linkTo(links, one), 'one', { brokers: [one, two] });
  expect(open(links)).toEqual([one.endpoint, two.endpoint]);
  linkTo(links, one).say({ op: 'brokers', brokers: [one, two, three] });
  expect(open(links)).toEqual([one.endpoint, two.endpoint, three.endpoint]);
});

it('a worker connects once to a broker with several addresses, which its key identifies', () => {
  const { links } = startFakeWorker();
  greet(linkTo(links, one), 'one', { brokers: [{ ...one, endpoint: 'tcp://elsewhere:5555' }] });
  expect(open(links)).toEqual([one.endpoint]);
});

it('a worker gives up a lost broker that is not configured and that no other broker names any more', () => {
  const { links } = startFakeWorker();
  greet(linkTo(links, one), 'one', { brokers: [one, two, three] });
  greet(linkTo(links, two), 'two', { brokers: [one, two, three] });
  linkTo(links, one).say({ op: 'brokers', brokers: [one] });
  linkTo(links, two).say({ op: 'brokers', brokers: [one] });
  // `two` is still there; `three` has never answered.
  expect(open(links)).toEqual([one.endpoint, two.endpoint]);
  linkTo(links, two).down('gone');
  expect(open(links)).toEqual([one.endpoint]);
});

it('a worker tries all brokers that it has ever learnt of after an outage of the network', () => {
  const { links } = startFakeWorker();
  greet(linkTo(links, one), 'one', { brokers: [one, two] });
  greet(linkTo(links, two), 'two', { brokers: [one, two] });
  for (const broker of [one, two]) linkTo(links, broker).down('network down');
  expect(open(links).sort()).toEqual([one.endpoint, two.endpoint]);
});

it('a worker connects to a bounded number of named brokers, and always to the configured ones', async () => {
  const log = recordingLog();
  const { worker, links } = startFakeWorker({ log });
  const many = Array.from({ length: 2 * mostBrokers }, (_, index) => brokerAddress(`n${index}`));
  greet(linkTo(links, one), 'one', { brokers: [one, ...many] });
  expect(open(links)).toHaveLength(mostBrokers);
  linkTo(links, one).say({ op: 'brokers', brokers: [one, ...many.toReversed()] });
  expect(open(links)).toHaveLength(mostBrokers);
  expect(log.at('warn')).toHaveLength(1);
  worker.configure([one, two]);
  expect(open(links)).toContain(two.endpoint);
  linkTo(links, one).say({ op: 'brokers', brokers: [one, three] });
  await vi.waitFor(() => expect(open(links)).toEqual([one, two, three].map(({ endpoint }) => endpoint)));
});

it('a worker finds a broker that has got another address', async () => {
  const { worker, links } = startFakeWorker();
  greet(linkTo(links, one), 'one');
  const moved = { ...one, endpoint: 'tcp://moved:5555' };
  worker.configure([moved]);
  expect(open(links)).toEqual([one.endpoint]);
  linkTo(links, one).down('gone');
  await vi.waitFor(() => expect(open(links)).toEqual([moved.endpoint]));
});
