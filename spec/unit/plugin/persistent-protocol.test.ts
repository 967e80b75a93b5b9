import { describe, expect, it } from 'vitest';
import { cancelLine, helloLine, readLine, runLine } from '../../../src/plugin/persistent/protocol.ts';
import type { PersistentCall } from '../../../src/queue/ports/runner.ts';

const program = { plugin: 'many', executable: '/p/many', env: {}, limits: {}, concurrency: 4, graceMs: 100 };
const call: PersistentCall = {
  program,
  id: 7,
  args: { text: 'a"b' },
  argv: ['x y'],
  payload: 'line\nü\0',
  context: '{"format":1}\n',
  timeoutMs: null,
  maxOutputBytes: 1,
  terms: { driver: 'exec', successExitCodes: [0], argv: [] },
};

describe('what a persistent plugin is told', () => {
  it('a persistent plugin is sent one line of JSON for each message, whatever it contains', () => {
    const lines = [helloLine(program, 'n1'), runLine(call), cancelLine(7, 'timeout')];
    for (const line of lines) expect(line.indexOf('\n')).toBe(line.length - 1);
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { hello: 1, plugin: 'many', node: 'n1', concurrency: 4 },
      { run: 7, args: { text: 'a"b' }, argv: ['x y'], payload: 'line\nü\0', timeout_ms: null, context: { format: 1 } },
      { cancel: 7, reason: 'timeout' },
    ]);
  });

  it('a persistent plugin is sent a payload that is no text under its own name', () => {
    const line = runLine({ ...call, payload: '//4=', payloadEncoding: 'base64', timeoutMs: 5 });
    expect(JSON.parse(line)).toMatchObject({ payload_base64: '//4=', timeout_ms: 5 });
    expect(JSON.parse(line)).not.toHaveProperty('payload');
    expect(JSON.parse(runLine({ ...call, payload: null }))).toMatchObject({ payload: '' });
  });
});

describe('what a persistent plugin says', () => {
  it('a persistent plugin answers output, an end, or both', () => {
    expect(readLine('{"id":7,"out":"ü"}')).toEqual({ id: 7, out: Buffer.from('ü'), err: undefined, exit: undefined });
    expect(readLine('{"id":7,"err_base64":"AP8=","exit":255}')).toEqual({
      id: 7,
      out: undefined,
      err: Buffer.from([0, 255]),
      exit: 255,
    });
    expect(readLine('{"id":7,"more":"later"}')).toMatchObject({ id: 7, exit: undefined });
  });

  it.each([
    '',
    'hello',
    'null',
    '[]',
    '7',
    '{"id":"7"}',
    '{"id":1.5}',
    '{"id":7,"exit":256}',
    '{"id":7,"exit":-1}',
    '{"id":7,"exit":"0"}',
    '{"id":7,"exit":null}',
    '{"id":7,"out":1}',
    '{"id":7,"out":null}',
    '{"id":7,"err":["x"]}',
    '{"id":7,"out":"x","out_base64":"eA=="}',
    '{"id":7,"out":"x"',
  ])('%j is no answer of a persistent plugin', (line) => {
    expect(readLine(line)).toEqual(expect.any(String));
  });
});
