# frozen_string_literal: true

require_relative '../../../puppet_x/trigger/audience'
require_relative '../../../puppet_x/trigger/client_settings'
require_relative '../../../puppet_x/trigger/firing'
require_relative '../../../puppet_x/trigger/gateway'
require_relative '../../../puppet_x/trigger/keys'
require_relative '../../../puppet_x/trigger/origin'
require_relative '../../../puppet_x/trigger/publication'

Puppet::Type.type(:trigger).provide(:etcd) do
  desc <<-DOC
    Writes the firing to etcd's API v3 through its JSON gateway, in one transaction, with Ruby's standard library only.
    Certificates, user and password come from `/etc/triggerd/client.json`.
  DOC

  # Publishes one firing, or raises.
  def publish
    settings = PuppetX::Trigger::ClientSettings.load('endpoints' => resource[:endpoints], 'prefix' => resource[:keyprefix])
    firing = firing_from(settings.node)
    gateway = PuppetX::Trigger::Gateway.from(settings)
    PuppetX::Trigger::Publication.new(gateway, PuppetX::Trigger::Keys.new(settings.prefix), firing).publish
    resource.notice("fired #{firing.id} to #{audience(firing.targets)}")
  rescue PuppetX::Trigger::Error => e
    raise Puppet::Error, "could not fire #{"#{firing.id} " if firing}to #{audience(resource[:hosts])}: #{e.message}"
  end

  private

  def firing_from(node)
    PuppetX::Trigger::Firing.new(
      trigger: resource[:name],
      origin: PuppetX::Trigger::Origin.new(resource, node).to_h,
      targets: resource[:hosts],
      job: { plugin: resource[:plugin], args: resource[:args] || {} },
      tags: Array(resource[:tag]).map(&:to_s),
      ttl: resource[:ttl],
      keyttl: resource[:keyttl],
    )
  end

  def audience(nodes)
    PuppetX::Trigger::Audience.describe(nodes)
  end
end
