# frozen_string_literal: true

require 'json'
require_relative 'errors'
require_relative 'text'

# What one target says about a firing (docs/reference/keyspace.md, “Outcome”), and in words for a log line. It came over the wire.
class PuppetX::Trigger::Outcome
  FINAL = %w[finished skipped].freeze
  RESOURCES_SHOWN = 5

  # @param text [String] bytes of a document
  # @return [Outcome, nil] nil for what is no outcome
  def self.parse(text)
    of(JSON.parse(text.dup.force_encoding(Encoding::UTF_8)))
  rescue JSON::ParserError, EncodingError
    nil
  end

  # @param values [Hash] the document
  def self.of(values)
    new(values) if values.is_a?(Hash) && values.values_at('node', 'stage').all?(String)
  end

  def initialize(values)
    @values = values
  end

  def node
    @values['node']
  end

  def final?
    FINAL.include?(stage)
  end

  # @return [Boolean] whether the run that was asked for happened and succeeded, in noop as well
  def success?
    stage == 'finished' && @values['result'] == 'succeeded'
  end

  # @return [String, nil] how much a run in noop would have changed, such as `noop, 3 pending`; nil for a run that was none in noop. What
  #   counts is the target's own report: its puppet.conf may say noop where nobody asked for it.
  def noop
    return unless puppet['noop'] == true

    pending = puppet['pending']
    pending.is_a?(Integer) ? "noop, #{pending} pending" : 'noop'
  end

  # @return [String] such as `failed with exit code 6 (failed: File[/etc/haproxy.cfg])` or `deferred (the agent is disabled)`
  def words
    # The failed resources say more than the first error.
    told = resources || reason
    told ? "#{course} (#{told})" : course
  end

  private

  def stage
    @values['stage']
  end

  def course
    return line(stage) unless stage == 'finished'

    result = line(@values['result']).tr('-', ' ')
    return "#{result} by #{line(@values['signal'])}" if @values['signal']

    @values['exit_code'] ? "#{result} with exit code #{line(@values['exit_code'])}" : result
  end

  def reason
    line(@values['reason']) if @values['reason']
  end

  # The failed resources, from the report of the target's run.
  def resources
    names = failed_resources
    return if names.empty?

    rest = names.size - RESOURCES_SHOWN
    shown = names.first(RESOURCES_SHOWN).map { |name| line(name) }
    "failed: #{[*shown, ("#{rest} more" if rest.positive?)].compact.join(', ')}"
  end

  def failed_resources
    Array(puppet['failed_resources']).filter_map { |entry| entry['resource'] if entry.is_a?(Hash) }
  end

  # The facts of the target's report.
  def puppet
    facts = @values['details'].is_a?(Hash) ? @values['details']['puppet'] : nil
    facts.is_a?(Hash) ? facts : {}
  end

  def line(value)
    PuppetX::Trigger::Text.line(value)
  end
end
