# frozen_string_literal: true

require_relative 'errors'

# The report of the present Puppet run. Puppet does not pass it on, but it is a destination of the log.
module PuppetX::Trigger::RunReport
  # @param resource [Puppet::Type] a resource of the run
  # @return [Puppet::Transaction::Report, nil] nil outside a run, as in a unit test
  def self.for(resource)
    reports = Puppet::Util::Log.destinations.keys.grep(Puppet::Transaction::Report)
    reports.reverse.find { |report| report.resource_statuses.key?(resource.to_s) } || reports.last
  end
end
