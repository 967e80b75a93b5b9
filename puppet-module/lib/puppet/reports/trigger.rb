# frozen_string_literal: true

require_relative '../../puppet_x/trigger/client_settings'
require_relative '../../puppet_x/trigger/control_socket'
require_relative '../../puppet_x/trigger/ended_run'

Puppet::Reports.register_report(:trigger) do
  desc <<-DOC
    Tells the daemon triggerd on this node that a `puppet apply` has ended. A complete and successful regular run then
    satisfies the firings that the node accepted before the run began.

        [main]
        reports = store, trigger

    Use it on nodes without a Puppet server. Runs of `puppet agent` need no report processor: the daemon watches the
    reports on its node. On a Puppet server, this processor does nothing. If the daemon does not answer, the processor
    logs a debug message.
  DOC

  # Never fails a run.
  def process
    return if Puppet.run_mode.server?
    # The daemon started this run and knows its end.
    return if ENV.key?('TRIGGERD_CONTEXT')

    settings = PuppetX::Trigger::ClientSettings.load
    PuppetX::Trigger::ControlSocket.new(settings.socket, read_timeout: 5).ended(PuppetX::Trigger::EndedRun.new(self).json)
  rescue PuppetX::Trigger::Error, SystemCallError => e
    Puppet.debug("Trigger: could not tell the daemon about this run: #{e.message}")
  end
end
