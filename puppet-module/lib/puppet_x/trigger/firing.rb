# frozen_string_literal: true

require 'json'
require 'time'
require_relative 'errors'
require_relative 'ulid'

# The document of one firing, as docs/keyspace.md pins it. Immutable: its bytes are compared when an answer was lost.
class PuppetX::Trigger::Firing
  FORMAT = 1
  DEFAULT_TTL = 8

  # @return [String] the ULID
  attr_reader :id
  # @return [Array<String>] node names
  attr_reader :targets
  # @return [String] the document
  attr_reader :json

  # @param trigger [String] its name
  # @param origin [Hash] from Origin
  # @param targets [Array<String>] node names
  # @param job [Hash] plugin and args
  # @param tags [Array<String>]
  # @param ttl [Integer, nil] hops
  # @param keyttl [Integer, nil] seconds
  # @param now [Time]
  def initialize(trigger:, origin:, targets:, job: {}, tags: [], ttl: nil, keyttl: nil, now: Time.now)
    @id = PuppetX::Trigger::Ulid.generate(now)
    @targets = targets
    @json = JSON.generate(
      { format: FORMAT, id: @id, trigger: trigger, origin: origin, targets: targets,
        job: { plugin: nil, args: {} }.merge(job) }
        .merge(circumstances(tags, ttl, keyttl, now)),
    ).freeze
  end

  # @return [String] what is put into each inbox
  def entry
    JSON.generate(format: FORMAT, firing: id)
  end

  private

  def circumstances(tags, ttl, keyttl, now)
    { noop: false, tags: tags, policy: {}, ttl: ttl || DEFAULT_TTL, chain: chain,
      created_at: timestamp(now), expires_at: keyttl && timestamp(now + keyttl), signature: nil }
  end

  # The firings that led here. A run that was itself triggered will know them.
  def chain
    []
  end

  def timestamp(time)
    time.utc.iso8601(3)
  end
end
