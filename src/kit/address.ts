/**
 * The one grammar of addresses, for TOML, `client.json` and manifests: `spec/fixtures/addresses.json` says what it accepts, and the
 * Puppet module's `Rules.endpoint` is tested against the same file. What is accepted here is what the clients can use.
 */

/** `url`: of etcd or PuppetDB; `connect` and `listen`: of a broker; `http-listen`: of the HTTP port, without a scheme. */
export type AddressUse = 'url' | 'connect' | 'listen' | 'http-listen';

export interface Address {
  readonly scheme: string;
  /** In lower case; an IPv6 address without its brackets; `*` is every address of this machine. */
  readonly host: string;
  readonly port: number;
  /** The same address in its one true form: no slash at the end, the port always there. */
  readonly text: string;
}

export type AddressProblem = 'form' | 'user' | 'path' | 'query' | 'host' | 'port' | 'port-missing';

const forms: Readonly<Record<AddressUse, RegExp>> = {
  url: /^(https?):\/\/(.*)$/is,
  connect: /^(tcp):\/\/(.*)$/is,
  listen: /^(tcp):\/\/(.*)$/is,
  'http-listen': /^()(.*)$/s,
};

const defaultPorts: Readonly<Record<string, number>> = { http: 80, https: 443 };

/** The address that a text means, or why it is none. */
export const parseAddress = (use: AddressUse, text: string): Address | AddressProblem => {
  // First of all: nothing else may be said of a text that holds a password.
  if (text.includes('@')) return 'user';
  const [, scheme = '', rest = ''] = forms[use].exec(text) ?? [];
  if (rest === '') return 'form';
  if (/[?#]/.test(rest)) return 'query';
  const [, host = '', port, path = ''] = /^(\[[^\]/]*\]|[^:/]*)(?::([^/]*))?(.*)$/s.exec(rest) ?? [];
  if (path !== '' && !(path === '/' && use !== 'http-listen')) return 'path';
  const isListening = use === 'listen' || use === 'http-listen';
  if (!(isHost(host) || (host === '*' && isListening))) return 'host';
  return withPort(scheme.toLowerCase(), host.toLowerCase(), port, isListening ? 0 : 1);
};

const withPort = (
  scheme: string,
  host: string,
  written: string | undefined,
  least: number,
): Address | AddressProblem => {
  const port = written === undefined ? defaultPorts[scheme] : numberOf(written);
  if (port === undefined) return written === undefined ? 'port-missing' : 'port';
  if (port < least || port > 65_535) return 'port';
  const text = `${scheme === '' ? '' : `${scheme}://`}${host}:${port}`;
  return { scheme, host: host.replace(/^\[|\]$/g, ''), port, text };
};

const numberOf = (written: string): number | undefined => (/^\d{1,5}$/.test(written) ? Number(written) : undefined);

const isHost = (host: string): boolean =>
  host.startsWith('[') ? isIPv6(host.slice(1, -1)) : isNumeric(host) ? isIPv4(host) : isDnsName(host);

/** What resolvers take for an IPv4 address in some form, such as `127.1`: clients disagree about which one it is. */
const isNumeric = (host: string): boolean => /(?:^|\.)(?:\d+|0x[0-9a-f]*)\.?$/i.test(host);

const isIPv4 = (host: string): boolean => {
  const parts = host.split('.');
  return parts.length === 4 && parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
};

const isDnsName = (host: string): boolean =>
  host.length <= 253 && /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.|$))+$/i.test(host);

/** Eight groups, of which `::` leaves some out; the last two may be an IPv4 address. No zone: TLS and URLs know none. */
const isIPv6 = (host: string): boolean => {
  const [, head = host, tail] = /^(.*:)([^:]*\.[^:]*)$/.exec(host) ?? [];
  if (tail !== undefined && !isIPv4(tail)) return false;
  const groups = tail === undefined ? head : `${head}0:0`;
  const halves = groups.split('::');
  const counted = halves.map((half) => (half === '' ? [] : half.split(':')));
  if (halves.length > 2 || !counted.flat().every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return false;
  return halves.length === 2 ? counted.flat().length <= 7 : counted.flat().length === 8;
};

const words: Readonly<Record<Exclude<AddressProblem, 'form'>, string>> = {
  user: 'an address has no user and no password; etcd’s go into username and password_file',
  path: 'an address has no path after the port',
  query: 'an address has no “?” and no “#”',
  host: 'the host must be a name, an IPv4 address, or an IPv6 address in brackets without a zone',
  port: 'the port must be a number up to 65535; 0 only where something listens',
  'port-missing': 'the port is missing',
};

/** What is wrong with an address, for people; nothing where its whole form is wrong. */
export const wordsOf = (problem: AddressProblem): string | undefined =>
  problem === 'form' ? undefined : words[problem];

/** A text that may be an address with a password in it, for messages. */
export const withoutPassword = (text: string): string =>
  text.replace(/^(?:([a-z][a-z0-9+.-]*:\/\/)|[^@\s]*:).*@/is, (_, scheme = '') => `${scheme}…@`);

/** A link without the user and password that may stand in it; whoever follows the link is asked. `mask`: what stands there instead. */
export const withoutUser = (link: string, mask = ''): string =>
  link.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, (_, scheme: string) => scheme + (mask && `${mask}@`));
