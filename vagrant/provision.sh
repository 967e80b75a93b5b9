#!/bin/sh
# Makes a machine of the demo cluster. Run as root, in the machine; running it again changes nothing.
#   provision.sh server1.boxnet=192.168.56.11 server2.boxnet=192.168.56.12 …      (all machines, this one too)
# The checkout is at /vagrant. Everything else comes from Debian's repositories.
set -eu

say() { printf 'provision: %s\n' "$*"; }
here=/vagrant/vagrant
modules=/etc/puppet/code/modules

# Every machine knows every other one by name.
for member in "$@"; do
  name=${member%%=*} address=${member#*=}
  # Some boxes have their own name on a loopback address, where the others could not reach it.
  sed -i "/^127\.[0-9.]*[[:space:]].*\b${name}\b/d" /etc/hosts
  grep -q "^${address}[[:space:]]${name}\b" /etc/hosts || printf '%s %s %s\n' "$address" "$name" "${name%%.*}" >> /etc/hosts
done

installed() { dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed; }
install() {
  missing=''
  for package in "$@"; do installed "$package" || missing="$missing $package"; done
  [ -z "$missing" ] && return
  say "installing$missing"
  apt-get update -qq
  # Debian starts the services of a package at once; Puppet is to configure them first.
  printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
  rm -f /usr/sbin/policy-rc.d
}

install puppet-agent etcd-server etcd-client

# The daemon's package: from /vagrant/build where `npm run package` was run, else built here, which takes some minutes.
package=$(find /vagrant/build /usr/local/src/triggerd/build -maxdepth 1 -name 'triggerd_*.deb' 2>/dev/null | sort | tail -n 1)
if [ -z "$package" ]; then
  say 'building the package (`npm run package` on the host would save this)'
  install nodejs npm python3 make g++ git
  mkdir -p /usr/local/src/triggerd
  cp -r /vagrant/. /usr/local/src/triggerd
  (cd /usr/local/src/triggerd && npm run package)
  package=$(find /usr/local/src/triggerd/build -maxdepth 1 -name 'triggerd_*.deb' | sort | tail -n 1)
fi
cp -u "$package" /var/cache/triggerd.deb

mkdir -p "$modules"
[ -e "$modules/trigger" ] || ln -s /vagrant/puppet-module "$modules/trigger"

# What the manifest is told about the cluster; the same file on all machines.
mkdir -p /etc/facter/facts.d
{ printf '{"boxnet": {'
  separator=''
  for member in "$@"; do printf '%s"%s": "%s"' "$separator" "${member%%=*}" "${member#*=}"; separator=', '; done
  printf '}}\n'; } > /etc/facter/facts.d/boxnet.json

say 'puppet apply'
code=0
puppet apply --detailed-exitcodes "$here/manifests/site.pp" || code=$?
# 0: nothing to do, 2: changed.
case $code in 0 | 2) say "done (exit code $code)" ;; *) say "puppet apply failed (exit code $code)"; exit "$code" ;; esac
