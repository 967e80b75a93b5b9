// @NAME@: greets somebody and counts the lines of its payload. Replace that with what it is for.
import { createInterface } from 'node:readline';

// Arguments are data. For another program: execFile(program, ['--', name]), never a shell.
const { TRIGGER_ARG_NAME: name, TRIGGERD_NODE: node } = process.env;

const countLines = async (input) => {
  let lines = 0;
  for await (const _ of createInterface({ input })) lines += 1;
  return lines;
};

if (name === 'nobody') {
  process.stderr.write('@NAME@: there is nobody to greet: give another name\n');
  process.exitCode = 1;
} else {
  // The payload is on standard input, which is empty where the job has none.
  const lines = await countLines(process.stdin);
  // What is printed is the job's output, as it comes; the exit code is its result.
  process.stdout.write(`hello ${name}, your payload has ${lines} lines (this is ${node})\n`);
}
