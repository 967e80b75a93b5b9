import { expect, it, onTestFinished } from 'vitest';
import { sealProof } from '../../../src/adapters/crypto/proofs.ts';
import { MemoryStore } from '../../support/memory-store.ts';
import { local, openAccounts, password } from '../../support/registry.ts';

const minute = 60_000;

/** Two brokers of one registry, and a worker; time is in the hands of the test. */
const twoBrokers = async () => {
  let now = Date.now();
  const store = new MemoryStore();
  const common = { store, prefix: '/trigger', clock: { now: () => now } };
  const one = await openAccounts({ ...common, broker: 'broker01' });
  await one.registry.initialise({ team: 'team1', identity: 'hp', secret: password });
  const { rows } = await one.registry.execute(local, { verb: 'worker.add', team: 'team1', identity: 'demo01' });
  const { token } = rows[0] as { token: string };
  const two = await openAccounts({ ...common, broker: 'broker02' });
  onTestFinished(async () => {
    await one.close();
    await two.close();
  });
  const askers = [
    one.proofs.askerOf({
      identity: 'hp',
      team: 'team1',
      role: 'admin',
      teamId: 1,
      origin: { user: 1, team: 1 },
    }),
  ];
  const proof = one.proofs.prove({ id: 'r1', worker: 'team1/demo01', askers, depth: 0, endsAt: now + minute });
  if (proof === undefined) throw new Error('a broker whose key is published makes proofs');
  const pass = (ms: number): void => {
    now += ms;
  };
  return { one, two, sealed: sealProof(proof, token), pass };
};

it('a proof ends 5 s after its request at the broker that made it, and 30 s later at others', async () => {
  const { one, two, sealed, pass } = await twoBrokers();
  pass(minute + 4_999);
  expect(one.proofs.check(sealed)).toMatchObject({ id: 'r1', isOurs: true, depth: 0 });
  pass(2);
  expect(() => one.proofs.check(sealed)).toThrow(expect.objectContaining({ code: 'proof-invalid' }));
  expect(two.proofs.check(sealed)).toMatchObject({ id: 'r1', isOurs: false });
  pass(30_000);
  expect(() => two.proofs.check(sealed)).toThrow(expect.objectContaining({ code: 'proof-invalid' }));
});
