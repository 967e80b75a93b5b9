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
    @summary Something changed here: let the right thing run on other nodes.

    Declaring a trigger does nothing. When a resource notifies it, it publishes one *firing* per Puppet run, however many
    resources notified; every node in `hosts` then queues a Puppet run, or what `plugin` says. With `--noop` nothing is
    published, and Puppet says what it would have done.

    A firing is written to the spool on this node first, so that it is delivered later when etcd is away.

    The trigger autorequires the file with the client settings, `/etc/triggerd/client.json`, and the folder of the spool; with
    `provider => local` also the package and the service `triggerd`.

    @example Refresh the load balancers when the application's configuration changes
      file { '/etc/app.conf':
        content => epp('app/app.conf.epp'),
        notify  => Trigger['refresh load balancers'],
      }

      trigger { 'refresh load balancers':
        hosts => ['lb01.example.com', 'lb02.example.com'],
      }

    @example Go on only when the databases have run Puppet, and did not fail
      trigger { 'migrate databases':
        hosts   => ['db01.example.com', 'db02.example.com'],
        wait    => true,
        timeout => '10m',
      }
  DOC

  feature :refreshable, 'The provider can publish a firing.', methods: [:publish]

  newparam(:name, namevar: true) do
    desc 'What the trigger is for, in words: 1 to 255 characters, spaces and slashes included.'

    validate { |value| PuppetX::Trigger::Rules.trigger_name(value) }
    munge { |value| PuppetX::Trigger::Rules.trigger_name(value) }
  end

  newparam(:hosts) do
    desc <<-DOC
      The nodes to wake: names as in those nodes' `trigger_hostname`, by default their certnames. One name or an array;
      lower-cased, duplicates removed. With an empty array (an empty answer of PuppetDB, say) a refresh warns and fires
      nothing.
    DOC

    defaultto { [] }
    validate { |value| PuppetX::Trigger::HostList.parse(value) }
    munge { |value| PuppetX::Trigger::HostList.parse(value) }
  end

  newparam(:endpoints) do
    desc <<-DOC
      URLs of etcd, tried in order. Default: `endpoints` in `/etc/triggerd/client.json`, else the etcd that the node's daemon
      runs itself, else `http://127.0.0.1:2379`.
    DOC

    validate { |value| PuppetX::Trigger::Rules.endpoints(value) }
    munge { |value| PuppetX::Trigger::Rules.endpoints(value) }
  end

  newparam(:keyprefix) do
    desc 'The prefix of all keys in etcd. Default: `prefix` in `/etc/triggerd/client.json`, else `/trigger`.'

    validate { |value| PuppetX::Trigger::Rules.key_prefix(value) }
    munge { |value| PuppetX::Trigger::Rules.key_prefix(value) }
  end

  newparam(:keyttl) do
    desc <<-DOC
      Seconds after which the firing expires for those nodes that have not taken it; that is recorded as their outcome.
      Default: it stays owed until it is taken.
    DOC

    validate { |value| PuppetX::Trigger::Rules.whole_number('keyttl', value, 1..3_153_600_000, ' of seconds') }
    munge { |value| PuppetX::Trigger::Rules.whole_number('keyttl', value, 1..3_153_600_000, ' of seconds') }
  end

  newparam(:ttl) do
    desc 'How many hops a chain of firings may go on from here, which ends loops of triggers. Default: 8.'

    validate { |value| PuppetX::Trigger::Rules.whole_number('ttl', value, 1..255, ' of hops') }
    munge { |value| PuppetX::Trigger::Rules.whole_number('ttl', value, 1..255, ' of hops') }
  end

  newparam(:plugin) do
    desc 'What the nodes run instead of their own `run_cmd`, if their allow-list has it, such as `command/command`.'

    validate { |value| PuppetX::Trigger::Rules.plugin_name(value) }
    munge { |value| PuppetX::Trigger::Rules.plugin_name(value) }
  end

  newparam(:args) do
    desc <<-DOC
      Arguments for the plugin: a hash of names to texts. Numbers and booleans become texts; nested values are refused.
      They are stored in etcd in clear.
    DOC

    validate { |value| PuppetX::Trigger::Arguments.parse(value) }
    munge { |value| PuppetX::Trigger::Arguments.parse(value) }
  end

  newparam(:require_publish, boolean: true, parent: Puppet::Parameter::Boolean) do
    desc <<-DOC
      Whether the trigger fails unless etcd has taken the firing in this run. Otherwise it warns; the firing is delivered
      later in both cases.
    DOC

    defaultto false
  end

  newparam(:wait, boolean: true, parent: Puppet::Parameter::Boolean) do
    desc <<-DOC
      Whether to wait until every node in `hosts` has finished what this fires. A run that failed, was skipped, or has not
      ended within `timeout` makes the trigger fail; the message names the node, exit code and failed resources, or how far it
      came. Waiting for this node, or for a node whose run led to this one, could never end and is refused before anything is
      fired.
    DOC

    defaultto false
  end

  newparam(:timeout) do
    desc <<-DOC
      How long `wait` waits: seconds, or a duration such as `90s`, `10m` or `1h30m`, up to 7 days. Default: `30m`, which is
      less than the hour after which an agent ends its run by default (Puppet's setting `runtimeout`).
    DOC

    defaultto '30m'
    validate { |value| PuppetX::Trigger::Duration.parse('timeout', value, 1..604_800) }
    munge { |value| PuppetX::Trigger::Duration.parse('timeout', value, 1..604_800) }
  end

  newparam(:apply) do
    desc <<-DOC
      When to fire: `immediately`, that is when Puppet refreshes the trigger, or when the whole run has `finished`, and only if
      nothing in it failed. A run that fails fires nothing and says so; one that is killed fires nothing either. `finished`
      does not go together with `wait` or `require_publish`.
    DOC

    newvalues(:immediately, :finished)
    defaultto :immediately
  end

  validate do
    late = %i[wait require_publish].find { |name| self[name] } if self[:apply] == :finished
    raise ArgumentError, "#{late} needs a firing during the run; apply => finished fires when the run has ended" if late

    own = %i[endpoints keyprefix].find { |name| self[name] }
    if own && self[:provider] == :local
      raise ArgumentError, "#{own} is for the provider etcd; local uses what the daemon is configured with"
    end
  end

  autorequire(:file) do
    defaults = PuppetX::Trigger::ClientSettings::DEFAULTS
    [PuppetX::Trigger::ClientSettings::DEFAULT_PATH, File.dirname(defaults['spool']), defaults['spool']]
  end

  # Only where it is needed: a trigger whose dependency fails is skipped, and what it would have fired is lost.
  %i[package service].each { |needed| autorequire(needed) { 'triggerd' if self[:provider] == :local } }

  # Where several providers are suitable Puppet would choose one by itself, which might be `dummy`.
  def self.defaultprovider
    provider(:etcd)
  end

  # There is nothing on a node to list.
  def self.instances
    []
  end

  # @api private
  def set_sensitive_parameters(names) # rubocop:disable Naming/AccessorMethodName -- Puppet's name
    leaking = names & %i[name hosts plugin args]
    raise Puppet::Error, "#{leaking.first} of a trigger can't be Sensitive: it is stored in etcd in clear" if leaking.any?

    super
  end

  # Called by Puppet at most once per run, when something notified and the run is not a noop.
  def refresh
    if self[:hosts].empty?
      warning('hosts is empty: nothing fired')
    elsif self[:apply] == :finished
      PuppetX::Trigger::EndOfRun.after(self) { provider.publish }
    else
      provider.publish
    end
  end

  # Asked by Puppet for an event named `noop_restart` where it would have called `refresh`. It tells a resource in no other way.
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
