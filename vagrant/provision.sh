#!/bin/sh
# Sets up a machine of the demo cluster. Run it as root in the machine. A second run changes nothing.
#   provision.sh server1.boxnet=192.168.56.11 server2.boxnet=192.168.56.12 …      (all machines, including this one)
# The checkout is at /vagrant. Everything else comes from Debian's repositories, and from npm if this script builds the package.
set -eu

here=/vagrant/vagrant
modules=/etc/puppet/code/modules
built=/usr/local/src/triggerd

say() { printf 'provision: %s\n' "$*"; }
[ "$#" -gt 0 ] || { say 'no machines given. Usage: provision.sh NAME=ADDRESS …' >&2; exit 2; }

# Every machine resolves the names of all machines, and its own name to the address that the others use.
for member in "$@"; do
  name=${member%%=*} address=${member#*=} short=${name%%.*}
  sed -i -E "/^127\./ { s/[[:space:]]+${name}\b//g; s/[[:space:]]+${short}\b//g; /^[0-9.]+[[:space:]]*\$/d }" /etc/hosts
  grep -q "^${address}[[:space:]]${name}\b" /etc/hosts || printf '%s %s %s\n' "$address" "$name" "$short" >> /etc/hosts
done

installed() { dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed; }
install() {
  missing=''
  for package in "$@"; do installed "$package" || missing="$missing $package"; done
  [ -n "$missing" ] || return 0
  say "installing$missing"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

# The newest package, from `npm run package` on the host or from an earlier run of this script.
newest_package() {
  find /vagrant/build "$built/build" -maxdepth 1 -name "triggerd_*_$(dpkg --print-architecture).deb" -printf '%T@ %p\n' 2>/dev/null | sort -n | tail -n 1 | cut -d ' ' -f 2-
}

install puppet-agent

package=$(newest_package)
if [ -z "$package" ]; then
  say 'building the package, which takes some minutes (run `npm run package` on the host to avoid this)'
  install nodejs npm python3 make g++ dpkg-dev debhelper
  rm -rf "$built"
  cp -r /vagrant "$built"
  (cd "$built" && npm ci --ignore-scripts --loglevel=error && scripts/package) || { say 'could not build the package; see the messages above'; exit 1; }
  package=$(newest_package)
fi
cp -u "$package" /var/cache/triggerd.deb

mkdir -p "$modules"
[ -e "$modules/trigger" ] || ln -s /vagrant/puppet-module "$modules/trigger"

# The fact boxnet tells the manifest the members of the cluster. All machines have the same file.
mkdir -p /etc/facter/facts.d
{ printf '{"boxnet": {'
  separator=''
  for member in "$@"; do printf '%s"%s": "%s"' "$separator" "${member%%=*}" "${member#*=}"; separator=', '; done
  printf '}}\n'; } > /etc/facter/facts.d/boxnet.json

say 'puppet apply'
code=0
puppet apply --color=false --detailed-exitcodes "$here/manifests/site.pp" || code=$?
# 0: no changes, 2: changes.
case $code in 0 | 2) ;; *) say "puppet apply failed (exit code $code)"; exit "$code" ;; esac

# The user of `vagrant ssh` can use the queue.
if id vagrant >/dev/null 2>&1; then usermod --append --groups triggerd vagrant; fi
say "done (exit code $code)"
