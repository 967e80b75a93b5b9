# frozen_string_literal: true

require_relative '../../../puppet_x/trigger/client_settings'
require_relative '../../../puppet_x/trigger/control_socket'
require_relative '../../../puppet_x/trigger/daemon_outcomes'
require_relative '../../../puppet_x/trigger/leftovers'
require_relative '../../../puppet_x/trigger/refresh_report'
require_relative '../../../puppet_x/trigger/resource_firing'
require_relative '../../../puppet_x/trigger/spool'
require_relative '../../../puppet_x/trigger/waiting'

Puppet::Type.type(:trigger).provide(:local) do
  desc <<-DOC
    Hands the firing over to the daemon on this node, which spools and publishes it. Puppet itself needs no access to etcd.
    If the daemon does not answer, the provider writes the firing to the spool. Puppet never chooses this provider by
    itself.
  DOC

  extend PuppetX::Trigger::Leftovers

  # Hands one firing over, leaves it in the spool, or raises. Then waits if the manifest sets `wait`.
  def publish
    PuppetX::Trigger::RefreshReport.on(resource) do |report|
      settings = PuppetX::Trigger::ClientSettings.load
      report.firing = PuppetX::Trigger::ResourceFiring.of(resource, settings.node)
      socket = PuppetX::Trigger::ControlSocket.new(settings.socket)
      hand_over_or_spool(settings, socket, report)
      wait(socket, report.firing) if resource[:wait]
    end
  end

  private

  def wait(socket, firing)
    PuppetX::Trigger::Waiting.new(resource, firing, PuppetX::Trigger::DaemonOutcomes.new(socket, firing.id)).run
  end

  def hand_over_or_spool(settings, socket, report)
    hand_over(socket, report)
  rescue PuppetX::Trigger::DaemonAway => e
    spool(settings, report, e)
  end

  def hand_over(socket, report)
    if resource[:require_publish] || resource[:wait]
      socket.publish(report.firing.json)
      report.fired
    else
      socket.store(report.firing.json)
      report.handed_over
    end
  rescue PuppetX::Trigger::PublishError => e
    report.stored('the spool of the daemon', e)
  end

  def spool(settings, report, away)
    PuppetX::Trigger::Spool.new(settings.spool).store(report.firing)
    report.stored(settings.spool, away)
  rescue PuppetX::Trigger::SpoolError => e
    raise PuppetX::Trigger::Error, "#{away.message}. The firing is not in the spool either: #{e.message}"
  end
end
