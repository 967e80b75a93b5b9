// A persistent plugin that says back what it is told.
import { createInterface } from 'node:readline';

createInterface({ input: process.stdin }).on('line', (line) => {
  const { run, payload } = JSON.parse(line);
  if (run !== undefined) process.stdout.write(`${JSON.stringify({ id: run, out: payload, exit: 0 })}\n`);
});
