# frozen_string_literal: true

require 'puppet/parameter/boolean'
require_relative '../../puppet_x/trigger/arguments'
require_relative '../../puppet_x/trigger/audience'
require_relative '../../puppet_x/trigger/client_settings'
require_relative '../../puppet_x/trigger/duration'
require_relative '../../puppet_x/trigger/end_of_run'
require_relative '../../puppet_x/trigger/host_list'
require_relative '../../puppet_x/trigger/rules'

Puppet::Type.newtype(:trigger) do
  @doc = <<-DOC
    @summary Runs Puppet on other nodes when a resource changes on this one.

    A trigger does nothing until a resource notifies it. It then publishes one *firing* per Puppet run, no matter how many
    resources notified it. Each node in `hosts` queues a Puppet run, or runs `plugin`. With `--noop`, the trigger publishes
    nothing and logs what it would have done.

    The provider first writes the firing to the spool on this node. If etcd is down, the firing is delivered later.

    The trigger autorequires the file `/etc/triggerd/client.json` and the directory of the spool. With
    `provider => local` it also autorequires the package and the service `triggerd`.

    @example Refresh the load balancers when the application's configuration changes
      file { '/etc/app.conf':
        content => epp('app/app.conf.epp'),
        notify  => Trigger['refresh load balancers'],
      }

      trigger { 'refresh load balancers':
        hosts => ['lb01.example.com', 'lb02.example.com'],
      }

    @example Continue only after Puppet has succeeded on both databases
      trigger { 'migrate databases':
        hosts   => ['db01.example.com', 'db02.example.com'],
        wait    => true,
        timeout => '10m',
      }
  DOC

  feature :refreshable, 'The provider can publish a firing.', methods: [:publish]

  newparam(:name, namevar: true) do
    desc 'The purpose of the trigger: 1 to 255 characters. Spaces and slashes are allowed.'

    validate { |value| PuppetX::Trigger::Rules.trigger_name(value) }
    munge { |value| PuppetX::Trigger::Rules.trigger_name(value) }
  end

  newparam(:hosts) do
    desc <<-DOC
      The nodes to trigger, by their `node_name` (default: their certname). One name or an array. Names become lower case, and
      duplicates are removed. With an empty array, such as an empty answer of PuppetDB, a refresh warns and fires nothing.
    DOC

    defaultto { [] }
    validate { |value| PuppetX::Trigger::HostList.parse(value) }
    munge { |value| PuppetX::Trigger::HostList.parse(value) }
  end

  newparam(:endpoints) do
    desc <<-DOC
      URLs of etcd, tried in this order. Default: `endpoints` in `/etc/triggerd/client.json`, then the etcd that this node's
      daemon runs, then `http://127.0.0.1:2379`.
    DOC

    validate { |value| PuppetX::Trigger::Rules.endpoints(value) }
    munge { |value| PuppetX::Trigger::Rules.endpoints(value) }
  end

  newparam(:keyprefix) do
    desc 'The prefix of all keys in etcd. Default: `prefix` in `/etc/triggerd/client.json`, then `/trigger`.'

    validate { |value| PuppetX::Trigger::Rules.key_prefix(value) }
    munge { |value| PuppetX::Trigger::Rules.key_prefix(value) }
  end

  newparam(:keyttl) do
    desc <<-DOC
      Seconds until the firing expires on nodes that have not taken it. The expiry is recorded as their outcome. Default: the
      firing does not expire.
    DOC

    validate { |value| PuppetX::Trigger::Rules.whole_number('keyttl', value, 1..3_153_600_000, ' of seconds') }
    munge { |value| PuppetX::Trigger::Rules.whole_number('keyttl', value, 1..3_153_600_000, ' of seconds') }
  end

  newparam(:ttl) do
    desc 'The maximum number of further firings in a chain that starts here. This ends loops of triggers. Default: 8.'

    validate { |value| PuppetX::Trigger::Rules.whole_number('ttl', value, 1..255, ' of hops') }
    munge { |value| PuppetX::Trigger::Rules.whole_number('ttl', value, 1..255, ' of hops') }
  end

  newparam(:plugin) do
    desc 'The plugin that the nodes run instead of their `run_cmd`, such as `command/command`. Each node must allow the plugin.'

    validate { |value| PuppetX::Trigger::Rules.plugin_name(value) }
    munge { |value| PuppetX::Trigger::Rules.plugin_name(value) }
  end

  newparam(:args) do
    desc <<-DOC
      Arguments for the plugin: a hash of names to strings. Numbers and booleans become strings. Nested values are refused.
      etcd stores the arguments in clear text.
    DOC

    validate { |value| PuppetX::Trigger::Arguments.parse(value) }
    munge { |value| PuppetX::Trigger::Arguments.parse(value) }
  end

  newparam(:require_publish, boolean: true, parent: Puppet::Parameter::Boolean) do
    desc <<-DOC
      Whether the trigger fails if etcd does not accept the firing in this run. With `false`, it warns instead. The firing is
      delivered later in both cases.
    DOC

    defaultto false
  end

  newparam(:wait, boolean: true, parent: Puppet::Parameter::Boolean) do
    desc <<-DOC
      Whether to wait until every node in `hosts` has finished the firing. The trigger fails if a run fails, is skipped, or does
      not end within `timeout`. The message names the node and either the exit code and the failed resources or the current
      stage. The trigger does not wait for this node, nor for a node whose run led to this one: such a wait would never end. It
      then fails before it fires.
    DOC

    defaultto false
  end

  newparam(:timeout) do
    desc <<-DOC
      The maximum time for `wait`: seconds, or a duration such as `90s`, `10m` or `1h30m`, up to 7 days. Default: `30m`. An agent
      ends its run after one hour by default (Puppet's setting `runtimeout`).
    DOC

    defaultto '30m'
    validate { |value| PuppetX::Trigger::Duration.parse('timeout', value, 1..604_800) }
    munge { |value| PuppetX::Trigger::Duration.parse('timeout', value, 1..604_800) }
  end

  newparam(:apply) do
    desc <<-DOC
      When to fire: `immediately`, when Puppet refreshes the trigger, or `finished`, at the end of the run. With `finished`, the
      trigger fires only if nothing in the run failed; otherwise it warns. A run that is killed fires nothing. `finished` does
      not work with `wait` or `require_publish`.
    DOC

    newvalues(:immediately, :finished)
    defaultto :immediately
  end

  validate do
    late = %i[wait require_publish].find { |name| self[name] } if self[:apply] == :finished
    raise ArgumentError, "#{late} does not work with apply => finished, which fires after the run" if late

    own = %i[endpoints keyprefix].find { |name| self[name] }
    if own && self[:provider] == :local
      raise ArgumentError, "#{own} needs the provider etcd; the provider local uses the daemon's configuration"
    end
  end

  autorequire(:file) do
    defaults = PuppetX::Trigger::ClientSettings::DEFAULTS
    [PuppetX::Trigger::ClientSettings::DEFAULT_PATH, File.dirname(defaults['spool']), defaults['spool']]
  end

  # Only for the provider that needs them: Puppet skips a trigger whose dependency fails, and the firing is lost.
  %i[package service].each { |needed| autorequire(needed) { 'triggerd' if self[:provider] == :local } }

  # If several providers are suitable, Puppet chooses one, and could choose `dummy`.
  def self.defaultprovider
    provider(:etcd)
  end

  # A node has no triggers to list.
  def self.instances
    []
  end

  # @api private
  def set_sensitive_parameters(names) # rubocop:disable Naming/AccessorMethodName -- Puppet's name
    leaking = names & %i[name hosts plugin args]
    raise Puppet::Error, "#{leaking.first} of a trigger cannot be Sensitive: etcd stores it in clear text" if leaking.any?

    super
  end

  # Puppet calls this at most once per run: after a notification, and not in noop.
  def refresh
    if self[:hosts].empty?
      warning('hosts is empty: nothing fired')
    elsif self[:apply] == :finished
      PuppetX::Trigger::EndOfRun.after(self) { provider.publish }
    else
      provider.publish
    end
  end

  # In noop, Puppet asks for an event named `noop_restart` instead of calling `refresh`. There is no other hook.
  # @api private
  def event(options = {})
    notice(would_fire) if options[:name] == :noop_restart
    super
  end

  private

  def would_fire
    return 'would have fired nothing: hosts is empty' if self[:hosts].empty?
    return 'would have fired nothing: provider dummy' if self[:provider] == :dummy

    "would have triggered #{PuppetX::Trigger::Audience.describe(self[:hosts])}"
  end
end
