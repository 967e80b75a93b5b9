# frozen_string_literal: true

require 'json'
require 'time'
require_relative 'errors'
require_relative 'run_context'
require_relative 'ulid'

# The document of one firing, as docs/reference/keyspace.md pins it. Immutable: its bytes are compared when an answer was lost.
class PuppetX::Trigger::Firing
  FORMAT = 1
  DEFAULT_TTL = 8

  # @return [String] the ULID
  attr_reader :id
  # @return [Array<String>] node names
  attr_reader :targets
  # @return [Array<Hash>] the firings that led here, the oldest first
  attr_reader :chain
  # @return [Integer] how many more hops may follow
  attr_reader :ttl
  # @return [String] the document
  attr_reader :json

  # @param trigger [String] its name
  # @param origin [Hash] from Origin
  # @param targets [Array<String>] node names
  # @param job [Hash] plugin and args
  # @param tags [Array<String>]
  # @param ttl [Integer, nil] hops
  # @param keyttl [Integer, nil] seconds
  # @param context [RunContext] what led to this run
  # @param now [Time]
  def initialize(trigger:, origin:, targets:, job: {}, tags: [], ttl: nil, keyttl: nil,
                 context: PuppetX::Trigger::RunContext::NONE, now: Time.now)
    @id = PuppetX::Trigger::Ulid.generate(now)
    @targets = targets
    @chain = context.chain
    @ttl = [ttl || DEFAULT_TTL, context.ttl].compact.min
    @json = JSON.generate(
      { format: FORMAT, id: @id, trigger: trigger, origin: origin, targets: targets,
        job: { plugin: nil, args: {} }.merge(job) }
        .merge(circumstances(tags, keyttl, now)),
    ).freeze
  end

  # @return [String] what is put into each inbox
  def entry
    JSON.generate(format: FORMAT, firing: id)
  end

  private

  def circumstances(tags, keyttl, now)
    { noop: false, tags: tags, policy: {}, ttl: @ttl, chain: @chain,
      created_at: timestamp(now), expires_at: keyttl && timestamp(now + keyttl), signature: nil }
  end

  def timestamp(time)
    time.utc.iso8601(3)
  end
end
