import { parse as parseToml } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { quickSocket } from '../../../src/config/quick-socket.ts';

const fixtures = import.meta.glob('../../fixtures/config/*', { query: '?raw', import: 'default', eager: true });

describe('the quick look for the socket', () => {
  it.each([
    '[node]\nsocket = "/s"',
    'x = 1\n[etcd]\nprefix = "/t"\n [ node ] # us\n\tname = "a"\n  socket="/s" # here\n[watch]\n',
    '[node]\r\nname = "a"\nsocket = "/s"\n',
  ])('the quick search for the socket finds what the parser finds: %j', (text) => {
    expect(quickSocket(text)).toBe('/s');
    expect(parseToml(text)).toMatchObject({ node: { socket: '/s' } });
  });

  it.each([
    'node.socket = "/s"',
    'node = { socket = "/s" }',
    'socket = "/s"',
    '[other]\nsocket = "/s"',
    '[node.other]\nsocket = "/s"',
    '[[node]]\nsocket = "/s"',
    "[node]\nsocket = '/s'",
    '[node]\nsocket = "/\\u0073"',
    '[node]\nname = """\nsocket = "/wrong"\n"""\nsocket = "/s"',
    '[node]\n# socket = "/wrong"',
    '[node]\nallow = [\n"socket = \'/wrong\'"]',
  ])('the quick search for the socket leaves the file to the parser: %j', (text) => {
    expect(quickSocket(text)).toBeUndefined();
  });

  it.each(Object.entries(fixtures))('the quick search for the socket agrees with the parser on %s', (_, text) => {
    const node = parseToml(text)['node'] as { socket?: string } | undefined;
    expect(quickSocket(text)).toBe(node?.socket);
  });
});
