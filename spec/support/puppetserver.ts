import { freemem } from 'node:os';
import type { Container } from './container.ts';
import { type Equipment, prepareDebian } from './debian.ts';

/** Debian 12 with a Puppet server, PuppetDB, etcd and what the examples of the module need. */
export const siteEquipment: Equipment = {
  name: 'puppetserver',
  installed: [
    ...['puppetserver', 'puppetdb', 'dbconfig-no-thanks', 'postgresql', 'puppet-terminus-puppetdb', 'puppet-agent'],
    ...['stdlib', 'concat', 'haproxy', 'apache'].map((name) => `puppet-module-puppetlabs-${name}`),
    ...['haproxy', 'apache2', 'etcd-server', 'etcd-client', 'iproute2'],
    ...['ca-certificates', 'openssl', 'curl', 'locales'],
  ],
  installable: [],
};

/** Two Java virtual machines, a PostgreSQL and three systems. */
const neededMiB = 3_500;

/** Why a site with a Puppet server can't be tested on this machine; undefined: it can. Prepares the system where it is missing. */
export const whyNoPuppetserver = async (): Promise<string | undefined> => {
  if (process.env['SKIP_PUPPETSERVER']) return 'SKIP_PUPPETSERVER is set';
  // Node.js says MemAvailable: caches count as free.
  const availableMiB = Math.floor(freemem() / 2 ** 20);
  if (availableMiB < neededMiB) return `it needs ${neededMiB} MiB of memory, and ${availableMiB} are free`;
  try {
    await prepareDebian('bookworm', siteEquipment);
    return undefined;
  } catch (error) {
    return `Debian's packages could not be installed: ${String(error).slice(0, 500)}`;
  }
};

/** Makes the host a Puppet server that signs whoever asks, with PuppetDB; both use certificates of the new authority. */
export const startPuppetserver = async (host: Container, name: string): Promise<void> => {
  await host.must('sh', '-ec', configuration, name);
  await host.must('sh', '-ec', database);
  // Together: the server needs PuppetDB only for its first catalogue.
  await host.must('systemctl', 'start', 'puppetdb', 'puppetserver');
};

const configuration = `
cat > /etc/puppet/puppet.conf <<END
[main]
server = $0
[server]
autosign = true
storeconfigs = true
storeconfigs_backend = puppetdb
reports = store,puppetdb
END
printf '[main]\\nserver_urls = https://%s:8081\\n' "$0" > /etc/puppet/puppetdb.conf
mkdir -p /etc/puppet/code/environments/production/manifests /etc/puppet/code/environments/production/modules
sed -i 's/-Xms1g -Xmx1g/-Xms256m -Xmx768m/' /etc/default/puppetserver
sed -i 's/#max-active-instances: 1/max-active-instances: 1/' /etc/puppet/puppetserver/conf.d/puppetserver.conf
# A busy machine takes its time; Debian's units give them five minutes.
for unit in puppetserver puppetdb; do
  mkdir -p /etc/systemd/system/$unit.service.d
  printf '[Service]\\nTimeoutStartSec=900\\n' > /etc/systemd/system/$unit.service.d/slow.conf
done
systemctl daemon-reload
puppetserver ca setup
# As PuppetDB's README.Debian says.
adduser --quiet puppetdb puppet
cat >> /etc/puppetdb/conf.d/jetty.ini <<END
ssl-host = 0.0.0.0
ssl-port = 8081
ssl-key = $(puppet config print hostprivkey)
ssl-cert = $(puppet config print hostcert)
ssl-ca-cert = $(puppet config print localcacert)
END`;

const database = `
systemctl start postgresql
runuser -u postgres -- psql --quiet -c "create role puppetdb login password 'puppetdb'" -c 'create database puppetdb owner puppetdb'
runuser -u postgres -- psql --quiet -d puppetdb -c 'create extension pg_trgm'
cat > /etc/puppetdb/conf.d/database.ini <<END
[database]
subname = //127.0.0.1:5432/puppetdb
username = puppetdb
password = puppetdb
END`;
