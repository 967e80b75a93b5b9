# frozen_string_literal: true

require_relative 'audience'
require_relative 'errors'

# Logs the result of a refresh. Every provider uses the same messages.
class PuppetX::Trigger::RefreshReport
  DELIVERS = 'the daemon triggerd, or the next Puppet run with a trigger, delivers it'

  # Turns errors in the block into a failure of the resource.
  def self.on(resource)
    report = new(resource)
    yield report
  rescue PuppetX::Trigger::Error => e
    raise Puppet::Error, "could not fire #{report.subject}: #{e.message}"
  end

  # @return [Firing, nil] nil until there is one
  attr_accessor :firing

  def initialize(resource)
    @resource = resource
  end

  # @return [String] such as `01K9ZQ4T5M8W3V6X7Y8Z9A0BCD to 1 node (lb01)`
  def subject
    audience = "to #{PuppetX::Trigger::Audience.describe(@resource[:hosts])}"
    firing ? "#{firing.id} #{audience}" : audience
  end

  def fired
    @resource.notice("fired #{subject}")
  end

  def handed_over
    @resource.notice("handed #{subject} over to the daemon triggerd, which fires it")
  end

  # The firing is on this node's disk, and not in etcd.
  # @raise [Error] where the manifest wants etcd to have it
  def stored(place, problem)
    kept = "The firing is stored in #{place}; #{DELIVERS}"
    raise PuppetX::Trigger::Error, "#{problem.message}. #{kept}" if @resource[:require_publish]

    @resource.warning("could not fire #{subject} yet: #{problem.message}. #{kept}")
  end

  # etcd has the firing, which would have been lost otherwise.
  def went_unspooled(problem)
    @resource.warning("#{problem.message}. Until this is repaired, a firing that etcd does not accept at once is lost") if problem
  end
end
