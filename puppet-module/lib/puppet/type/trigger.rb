# frozen_string_literal: true

require 'puppet/parameter/boolean'
require_relative '../../puppet_x/trigger/arguments'
require_relative '../../puppet_x/trigger/host_list'
require_relative '../../puppet_x/trigger/rules'

Puppet::Type.newtype(:trigger) do
  @doc = <<-DOC
    @summary Something changed here: let the right thing run on other nodes.

    Declaring a trigger does nothing. When a resource notifies it, it publishes one *firing* per Puppet run, however many
    resources notified; every node in `hosts` then queues a Puppet run, or what `plugin` says. With `--noop` nothing is
    published, and Puppet says what it would have done.

    A firing is written to the spool on this node first, so that it is delivered later when etcd is away.

    The trigger autorequires the file with the client settings, `/etc/triggerd/client.json`.

    @example Refresh the load balancers when the application's configuration changes
      file { '/etc/app.conf':
        content => epp('app/app.conf.epp'),
        notify  => Trigger['refresh load balancers'],
      }

      trigger { 'refresh load balancers':
        hosts => ['lb01.example.com', 'lb02.example.com'],
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
      URLs of etcd, tried in order. Default: `endpoints` in `/etc/triggerd/client.json`, else `http://127.0.0.1:2379`.
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
    desc "What the nodes run instead of their own `run_cmd`, if their allow-list has it, such as `command/command`."

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

  validate do
    own = %i[endpoints keyprefix].find { |name| self[name] }
    raise ArgumentError, "#{own} is for the provider etcd; local uses what the daemon is configured with" if own && self[:provider] == :local
  end

  autorequire(:file) { '/etc/triggerd/client.json' }

  # Where several providers are suitable Puppet would choose one by itself, which might be `dummy`.
  def self.defaultprovider
    provider(:etcd)
  end

  # There is nothing on a node to list.
  def self.instances
    []
  end

  # @api private
  def set_sensitive_parameters(names)
    leaking = names & %i[name hosts plugin args]
    raise Puppet::Error, "#{leaking.first} of a trigger can't be Sensitive: it is stored in etcd in clear" if leaking.any?

    super
  end

  # Called by Puppet at most once per run, when something notified and the run is not a noop.
  def refresh
    if self[:hosts].empty?
      warning('hosts is empty: nothing fired')
    else
      provider.publish
    end
  end
end
