import { expect, it } from 'vitest';
import { type FleetNode, startFleet } from '../support/fleet.ts';
import { until } from '../support/wait.ts';

/** Here because it takes the 15 s that a keepalive takes. */
it('B5 B6: a member of etcd that stops answering is replaced by another one within 20 s', async () => {
  const fleet = await startFleet({ nodes: 1, members: 3 });
  try {
    const node = fleet.nodes[0] as FleetNode;
    const used = new Set<FleetNode['links'][number]>();
    for (const link of node.links) link.onAnswer(() => void used.add(link));
    await fleet.fire('b5-before');
    await fleet.settled();
    await until(() => used.size === 1, 'the one link in use');
    for (const link of used) link.stall();
    const silentSince = performance.now();
    await fleet.fire('b5');
    await fleet.settled(40_000);
    const seconds = (performance.now() - silentSince) / 1_000;
    process.stderr.write(`B5: another member after ${seconds.toFixed(1)} s\n`);
    expect(seconds).toBeLessThan(20);
    expect(used.size).toBeGreaterThan(1);
    for (const link of used) link.resume();
    expect(await fleet.verdict()).toEqual([]);
  } finally {
    await fleet.remove();
  }
});
