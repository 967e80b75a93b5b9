# frozen_string_literal: true

require_relative '../../../puppet_x/trigger/client_settings'
require_relative '../../../puppet_x/trigger/delivery'
require_relative '../../../puppet_x/trigger/etcd_outcomes'
require_relative '../../../puppet_x/trigger/gateway'
require_relative '../../../puppet_x/trigger/keys'
require_relative '../../../puppet_x/trigger/leftovers'
require_relative '../../../puppet_x/trigger/place'
require_relative '../../../puppet_x/trigger/publication'
require_relative '../../../puppet_x/trigger/refresh_report'
require_relative '../../../puppet_x/trigger/resource_firing'
require_relative '../../../puppet_x/trigger/spool'
require_relative '../../../puppet_x/trigger/waiting'

Puppet::Type.type(:trigger).provide(:etcd) do
  desc <<-DOC
    Writes the firing to the spool on this node, and from there to etcd through the JSON gateway of its API v3. The provider
    needs only Ruby's standard library. It reads certificates, user and password from `/etc/triggerd/client.json`. Without
    this file, it finds the certificates of the etcd that this node's daemon runs.
  DOC

  extend PuppetX::Trigger::Leftovers

  # Publishes one firing, leaves it in the spool, or raises. Then waits if the manifest sets `wait`.
  def publish
    PuppetX::Trigger::RefreshReport.on(resource) do |report|
      settings = PuppetX::Trigger::ClientSettings.load(overrides)
      report.firing = PuppetX::Trigger::ResourceFiring.of(resource, settings.node)
      spool = PuppetX::Trigger::Spool.new(settings.spool)
      delivery = PuppetX::Trigger::Delivery.new(spool, report.firing, place(settings))
      stage = delivery.run { put(settings, report.firing) }
      report.went_unspooled(delivery.spool_problem)
      stage == :owed ? report.fired : report.stored(settings.spool, delivery.problem)
      wait(settings, report.firing, stage, spool) if resource[:wait]
    end
  end

  private

  # The daemon and this run may both publish a firing that is still in the spool. The first one does.
  def wait(settings, firing, stage, spool)
    unless stage == :owed
      publish = lambda do
        put(settings, firing)
        spool.remove(firing.id)
      end
    end
    gateway = PuppetX::Trigger::Gateway.from(settings, rounds: 1)
    keys = PuppetX::Trigger::Keys.new(settings.prefix)
    outcomes = PuppetX::Trigger::EtcdOutcomes.new(gateway, keys, firing.id, publish: publish)
    PuppetX::Trigger::Waiting.new(resource, firing, outcomes).run
  end

  def overrides
    { 'endpoints' => resource[:endpoints], 'prefix' => resource[:keyprefix] }
  end

  def place(settings)
    PuppetX::Trigger::Place.unless_default(settings, PuppetX::Trigger::ClientSettings.load)
  end

  def put(settings, firing)
    gateway = PuppetX::Trigger::Gateway.from(settings)
    PuppetX::Trigger::Publication.new(gateway, PuppetX::Trigger::Keys.new(settings.prefix), firing).publish
  end
end
