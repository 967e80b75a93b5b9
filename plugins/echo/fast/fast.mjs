// The plugin `echo` as a persistent one: docs/reference/plugins.md has the protocol.
let rest = '';
process.stdin.setEncoding('utf8').on('data', (chunk) => {
  const lines = (rest + chunk).split('\n');
  rest = lines.pop();
  const said = lines.map((line) => answerTo(JSON.parse(line))).join('');
  if (said !== '') process.stdout.write(said);
});

const answerTo = ({ run: id, args, payload, payload_base64: bytes }) => {
  // `hello` and `cancel` need no answer: no job lasts long enough to be cancelled.
  if (id === undefined) return '';
  const text = `${args.text}\n`;
  const answer =
    bytes === undefined ? { id, out: text + payload, exit: 0 } : { id, out_base64: joined(text, bytes), exit: 0 };
  return `${JSON.stringify(answer)}\n`;
};

const joined = (text, bytes) => Buffer.concat([Buffer.from(text), Buffer.from(bytes, 'base64')]).toString('base64');
