# frozen_string_literal: true

require_relative 'errors'
require_relative 'run_report'

# Actions at the end of a Puppet run without failures.
#
# Puppet calls a provider's `post_resource_eval` before it knows whether the run failed as a whole, and has no hook for later.
# But every run, of `puppet apply` and of the agent, ends with the report's `finalize_report`, while the log is still open. This
# module extends the report of the run there. A failure at that point fails the run.
module PuppetX::Trigger::EndOfRun
  # Extends one report.
  module Hook
    # @param resource [Puppet::Type] that the action is for
    def at_end_of_run(resource, &action)
      (@at_end_of_run ||= []) << [resource, action]
    end

    # Puppet calls this when only the report remains to be sent.
    def finalize_report
      actions = @at_end_of_run || []
      @at_end_of_run = nil
      PuppetX::Trigger::EndOfRun.conclude(self, actions)
      super
    end
  end

  # @param resource [Puppet::Type] a resource of the run
  # @yield when the run has ended, if it did not fail
  def self.after(resource, &action)
    report = PuppetX::Trigger::RunReport.for(resource)
    raise Puppet::Error, 'apply => finished needs a Puppet run' if report.nil?

    report.extend(Hook)
    report.at_end_of_run(resource, &action)
  end

  def self.conclude(report, actions)
    failure = failure_of(report)
    actions.each do |resource, action|
      next resource.warning("nothing fired: #{failure}") if failure

      carry_out(report, resource, action)
    end
  end

  def self.carry_out(report, resource, action)
    action.call
  rescue StandardError => e
    resource.err(e.message)
    status = report.resource_statuses[resource.to_s]
    status.fail_with_event(e.message)
    status.failed_to_restart = true
  end

  # @return [String, nil] why the run did not end well
  def self.failure_of(report)
    return 'this run was stopped' if Puppet::Application.stop_requested?
    return 'this run did not complete' unless report.transaction_completed

    failed = report.resource_statuses.values.select { |status| status.failed? || status.failed_to_restart? }
    return "this run failed (#{failed.first.resource}#{", and #{failed.size - 1} more" if failed.size > 1})" if failed.any?
    return 'this run failed (resources could not be generated)' if report.resources_failed_to_generate

    'this run failed (postrun_command)' if report.logs.any? { |log| postrun_failed?(log) }
  end

  # Puppet reports this only here. The message contains the name of the setting in every language.
  def self.postrun_failed?(log)
    log.level == :err && log.message.to_s.include?('postrun_command')
  end
  private_class_method :carry_out, :failure_of, :postrun_failed?
end
