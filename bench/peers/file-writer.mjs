// Writes when it is told to: {"path", "bytes", "count", "isEach"} as a line on stdin is answered with {"totalMs"}.
import { closeSync, openSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';

const write = ({ path, bytes, count, isEach }) => {
  const data = Buffer.alloc(bytes, 'x');
  data[bytes - 1] = 0x0a;
  let fd = openSync(path, 'a');
  const start = performance.now();
  for (let i = 0; i < count; i++) {
    if (isEach && i > 0) {
      closeSync(fd);
      fd = openSync(path, 'a');
    }
    if (writeSync(fd, data) !== bytes) throw new Error(`${path} took only part of a write`);
  }
  closeSync(fd);
  return performance.now() - start;
};

console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
  const totalMs = write(JSON.parse(line));
  console.log(JSON.stringify({ totalMs }));
}
