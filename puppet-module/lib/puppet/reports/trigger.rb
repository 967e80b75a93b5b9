# frozen_string_literal: true

require_relative '../../puppet_x/trigger/client_settings'
require_relative '../../puppet_x/trigger/control_socket'
require_relative '../../puppet_x/trigger/ended_run'

Puppet::Reports.register_report(:trigger) do
  desc <<-DOC
    Tells the daemon triggerd on this node that a `puppet apply` has ended, so that a regular run also does what firings
    are queued for: those that were accepted before it began, if it was whole and went well.

        [main]
        reports = store, trigger

    For masterless nodes. Runs of `puppet agent` need no report processor: the daemon notices the report that each
    leaves on its node. On a Puppet server this one does nothing. A daemon that does not answer costs a debug message.
  DOC

  # Never fails a run.
  def process
    return if Puppet.run_mode.server?
    # A job of the daemon: it knows.
    return if ENV.key?('TRIGGERD_CONTEXT')

    settings = PuppetX::Trigger::ClientSettings.load
    PuppetX::Trigger::ControlSocket.new(settings.socket, read_timeout: 5).ended(PuppetX::Trigger::EndedRun.new(self).json)
  rescue PuppetX::Trigger::Error, SystemCallError => e
    Puppet.debug("Trigger: the daemon was not told of this run: #{e.message}")
  end
end
