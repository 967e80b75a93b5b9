# frozen_string_literal: true

require 'English'
require_relative 'audience'
require_relative 'duration'
require_relative 'errors'

# Blocks until every target of a firing has finished, or the timeout has passed.
class PuppetX::Trigger::Waiting
  # The maximum number of failed nodes in a message.
  SHOWN = 10

  # Seconds between two reads: short at first, because many runs are short, and longer later.
  PAUSES = (0.5..5).freeze

  # @param resource [Puppet::Type] the trigger, with its timeout
  # @param firing [Firing]
  # @param outcomes [#look]
  # @param timeout [Integer] seconds
  def initialize(resource, firing, outcomes, timeout: resource[:timeout])
    @resource = resource
    @firing = firing
    @outcomes = outcomes
    @timeout = timeout
    @open = firing.targets.to_h { |node| [node, 'owed'] }
    @failures = {}
    @noops = {}
    @began = now
  end

  # @raise [Puppet::Error] naming each node whose run failed or did not end, with exit code, failed resources or stage
  def run
    look_again until over?
    concluded = true
    raise Puppet::Error, failure unless @open.empty? && @failures.empty?

    @resource.notice("#{@firing.id} has finished on #{count(@firing.targets.size)} after #{lasted}")
    @resource.notice("#{@firing.id} changed nothing on #{nodes_in_noop}") if @noops.any?
  ensure
    # A signal, or Puppet's own `runtimeout`: the run ends, and the firing continues.
    @resource.notice("no longer waiting for #{@firing.id}; it continues") unless concluded || $ERROR_INFO.is_a?(StandardError)
  end

  private

  def look_again
    @outcomes.look(rest) do |outcome|
      @problem = nil
      settle(outcome)
      break if over?
    end
    @problem = nil
    pause unless over?
  rescue PuppetX::Trigger::RefusedError, PuppetX::Trigger::ConflictError => e
    raise Puppet::Error, "could not follow #{@firing.id} to #{PuppetX::Trigger::Audience.describe(@firing.targets)}: #{e.message}"
  rescue PuppetX::Trigger::PublishError, PuppetX::Trigger::DaemonAway => e
    @resource.warning("cannot read the outcomes of #{@firing.id}, retrying: #{e.message}") unless @problem
    @problem = e
    pause
  end

  # A final outcome never changes. An outcome of a node that is no target does not count.
  def settle(outcome)
    return unless @open.key?(outcome.node)
    return @open[outcome.node] = outcome.words unless outcome.final?

    @open.delete(outcome.node)
    @failures[outcome.node] = outcome.words unless outcome.success?
    @noops[outcome.node] = outcome.noop if outcome.noop
    @resource.info("#{outcome.node} #{outcome.words}")
  end

  def pause
    sleep((elapsed / 10).clamp(PAUSES.begin, PAUSES.end).clamp(0, rest))
  end

  def over?
    @open.empty? || rest.zero?
  end

  def failure
    problems = @failures.map { |node, words| "#{node} #{words}" } + @open.map { |node, words| "#{node} still #{words} after #{lasted}" }
    hidden = problems.size - SHOWN
    shown = problems.first(SHOWN) + (hidden.positive? ? ["#{count(hidden)} more"] : [])
    blind = " (#{@problem.message})" if @problem && @open.any?
    "#{@firing.id} did not succeed on #{problems.size} of #{count(@firing.targets.size)}: #{shown.join('; ')}#{blind}. " \
      "#{'The firing continues there. ' if @open.any?}Run `trigger why #{@firing.id}` for details"
  end

  # A run in noop is a success, as the documentation of `wait` says, but the message must not look like a change.
  def nodes_in_noop
    hidden = @noops.size - SHOWN
    shown = @noops.first(SHOWN).map { |node, words| "#{node} (#{words})" } + (hidden.positive? ? ["#{count(hidden)} more"] : [])
    shown.join(', ')
  end

  def count(number)
    "#{number} #{number == 1 ? 'node' : 'nodes'}"
  end

  def lasted
    PuppetX::Trigger::Duration.format([elapsed.round, @timeout].min)
  end

  def rest
    [@timeout - elapsed, 0].max
  end

  def elapsed
    now - @began
  end

  def now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end
end
