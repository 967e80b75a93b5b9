// The addresses to which `forward` may send. A user of `forward` sends from this machine and its network. Services that listen
// only for this machine, and services that trust everyone who reaches them (etcd, a cloud's metadata), must not be reachable.
import { lookup } from 'node:dns/promises';
import { BlockList, isIP, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';

export class Refused extends Error {}

const refused4 = [
  '0.0.0.0/8', // this machine
  '127.0.0.0/8', // loopback
  '169.254.0.0/16', // link-local, and most clouds' metadata
  '192.0.0.0/24', // Oracle's metadata among other things
  '100.100.100.200/32', // Alibaba's metadata
  '168.63.129.16/32', // Azure's
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, and broadcast
];
const refused6 = [
  '::/96', // unspecified, loopback, IPv4-compatible
  '::ffff:0:0/96', // IPv4-mapped: the address itself is what is asked for
  '::ffff:0:0:0/96', // IPv4-translated
  '64:ff9b:1::/48', // NAT64 of a site
  '2001::/32', // Teredo: holds an IPv4 address
  '2002::/16', // 6to4: as well
  'fe80::/10', // link-local
  'fec0::/10', // site-local
  'ff00::/8', // multicast
  'fd00:ec2::/32', // metadata of AWS
  'fd20:ce::/32', // of Google
];
/** A network with DNS64 reaches IPv4 through these. */
const nat64 = '64:ff9b::';

/** etcd's ports for clients and for its members. This node's configuration need not name other nodes' etcd. */
const etcdPorts = [2379, 2380];

const familyOf = (address) => (isIPv6(address) ? 'ipv6' : 'ipv4');

const listOf = (networks) => {
  const list = new BlockList();
  for (const network of networks) {
    const [address, bits] = network.split('/');
    list.addSubnet(address, Number(bits), familyOf(address));
  }
  return list;
};

/** One list for each family: the rule for IPv4-mapped addresses would match every IPv4 address as well. */
const refusedNetworks = () => {
  const through = refused4
    .map((network) => network.split('/'))
    .map(([at, bits]) => `${nat64}${at}/${96 + Number(bits)}`);
  const lists = { ipv4: listOf(refused4), ipv6: listOf([...refused6, ...through]) };
  // A connection from here to one of these addresses uses the loopback interface, which no firewall filters.
  for (const { address } of Object.values(networkInterfaces()).flat())
    lists[familyOf(address)].addAddress(address, familyOf(address));
  return lists;
};

const entryPattern = /^(?:\[([0-9a-f:.]+)\]|([0-9.]+))(?:\/(\d{1,3}))?(?::(\d{1,5}))?$/i;

/** `127.0.0.1:8080`, `10.0.0.0/8`, `[::1]:8080`. Any other form is refused. */
const readAllowed = (text) =>
  text
    .split(/[\s,]+/)
    .filter(Boolean)
    .map((entry) => {
      const [, inBrackets, plain, bits, port] = entryPattern.exec(entry) ?? [];
      const address = inBrackets ?? plain ?? '';
      const most = isIPv6(address) ? 128 : 32;
      if (isIP(address) === 0 || Number(bits ?? most) > most)
        throw new Refused(
          `${entry} in the argument allow of this node's plugin.toml is no address, network or address with a port`,
        );
      return { list: listOf([`${address}/${bits ?? most}`]), port: port === undefined ? undefined : Number(port) };
    });

const portOf = ({ port, protocol }) => Number(port) || (protocol === 'https:' ? 443 : 80);
const withoutBrackets = (hostname) => hostname.replace(/^\[|\]$/g, '');

/** `host:port` of this node's configuration → addresses of each; a host that does not resolve now cannot be reached either. */
const etcdEndpoints = async (endpoints) => {
  const hosts = endpoints
    .split(' ')
    .filter(Boolean)
    .map((endpoint) => new URL(`http://${endpoint}`));
  const found = hosts.map(async (url) => {
    const addresses = await lookup(withoutBrackets(url.hostname), { all: true }).catch(() => []);
    const forms = addresses.flatMap(({ address, family }) =>
      family === 4 ? [`${address}/32`, `${nat64}${address}/128`] : [`${address.replace(/%.*/, '')}/128`],
    );
    return { list: listOf(forms), port: portOf(url) };
  });
  return Promise.all(found);
};

/** `allow` and `etcd` are lists in one text; see `readAllowed` and `TRIGGERD_ETCD`. Throws `Refused`. */
export const createDestinations = async ({ allow, etcd }) => {
  const networks = refusedNetworks();
  const allowed = readAllowed(allow);
  const endpoints = await etcdEndpoints(etcd);
  const isEtcd = (address, port) =>
    etcdPorts.includes(port) ||
    endpoints.some((known) => known.port === port && known.list.check(address, familyOf(address)));
  const check = (address, port) => {
    const family = familyOf(address);
    const named = allowed.filter(({ list }) => list.check(address, family));
    if (named.some((entry) => entry.port === port)) return;
    if (isEtcd(address, port)) throw new Refused(`${address} port ${port} is etcd's, which is not sent anything`);
    if (named.some((entry) => entry.port === undefined)) return;
    if (networks[family].check(address, family))
      throw new Refused(
        `${address} is this machine, link-local, multicast or a cloud's metadata: nothing is sent there`,
      );
  };
  return {
    /** All addresses of the host, each of them checked. Only these may be connected to. */
    of: async (url) => {
      const found = await lookup(withoutBrackets(url.hostname), { all: true });
      for (const { address } of found) {
        // An address with a zone (fe80::1%eth0) is link-local, and block lists do not understand it.
        if (isIP(address) === 0 || address.includes('%'))
          throw new Refused(`${address} is link-local: nothing is sent there`);
        check(address, portOf(url));
      }
      return found;
    },
  };
};
