/**
 * What every client of the services benchmark does: for each line on stdin, `{"count", "inFlight"}`, it asks so many times
 * with so many under way, and answers with a line: the time of all, and of each, in ms.
 */
import { createInterface } from 'node:readline';

export const serveLoad = async (ask) => {
  process.stdout.write('ready\n');
  for await (const line of createInterface({ input: process.stdin })) {
    const { count, inFlight } = JSON.parse(line);
    process.stdout.write(`${JSON.stringify(await load(ask, count, inFlight))}\n`);
  }
};

const load = async (ask, count, inFlight) => {
  const latencies = [];
  let begun = 0;
  const one = async () => {
    while (begun < count) {
      begun += 1;
      const startedAt = performance.now();
      await ask();
      latencies.push(performance.now() - startedAt);
    }
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: inFlight }, one));
  return { totalMs: performance.now() - startedAt, latencies };
};

/** The payload of every request. */
export const payload = Buffer.from('x'.repeat(64));
