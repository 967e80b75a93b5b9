import { firstFiringIdAt, type WholeFiring } from '../../src/domain/firing.ts';

let count = 0;
/** Ids of today: a daemon refuses what is older than its memory. */
const today = firstFiringIdAt(Date.now()).slice(0, 10);

/** A firing with every field; ids differ from call to call. */
export const firing = (fields: Partial<WholeFiring> = {}): WholeFiring => {
  count += 1;
  return {
    id: `${today}8W3V6X7Y8Z9${String(count).padStart(5, '0')}`,
    trigger: 'refresh load balancers',
    origin: { kind: 'cli', node: 'web01', user: 'root' },
    targets: ['lb01'],
    job: { plugin: null, args: {} },
    noop: false,
    tags: [],
    policy: {},
    ttl: 8,
    chain: [],
    createdAt: '2026-11-20T12:00:00.000Z',
    expiresAt: null,
    signature: null,
    ...fields,
  };
};
