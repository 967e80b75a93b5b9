# frozen_string_literal: true

require 'etc'
require 'json'
require 'time'
require_relative 'errors'

# The report to the daemon about a Puppet run that the daemon did not start.
class PuppetX::Trigger::EndedRun
  # @param report [Puppet::Transaction::Report] of the run in this very process
  def initialize(report)
    @report = report
  end

  # @return [String] a JSON document
  def json
    JSON.generate(
      'argv' => File.binread('/proc/self/cmdline').force_encoding(Encoding::UTF_8).scrub.split("\0"),
      'cwd' => Dir.pwd,
      'started_at' => began.utc.iso8601(3),
      'status' => @report.status.to_s,
      'noop' => @report.noop ? true : false,
      'completed' => @report.transaction_completed ? true : false,
      'transaction_uuid' => @report.transaction_uuid,
      'resources' => counts,
    )
  end

  private

  # When this process did: Puppet's report begins only when the manifest is read and the catalog compiled. By the time that has
  # passed since, because the clock may have been set meanwhile.
  def began
    ticks = File.read('/proc/self/stat').rpartition(')').last.split[19].to_f
    Time.now - (Process.clock_gettime(Process::CLOCK_BOOTTIME) - (ticks / Etc.sysconf(Etc::SC_CLK_TCK)))
  end

  def counts
    @report.raw_summary['resources'].to_h.select { |_, count| count.is_a?(Numeric) }
  end
end
