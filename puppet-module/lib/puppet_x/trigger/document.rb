# frozen_string_literal: true

require 'json'
require_relative 'errors'
require_relative 'host_list'
require_relative 'rules'
require_relative 'ulid'

# The document of a stored firing, parsed by the rules for readers (docs/reference/keyspace.md), with its exact bytes.
class PuppetX::Trigger::Document
  FORMAT = 1
  MAX_BYTES = 1024 * 1024
  MAX_DEPTH = 32
  MAX_CHAIN = 64
  MAX_TAGS = 1000

  # The rule for each field: text for the message, and the check.
  FIELDS = {
    'format' => ['1', ->(value) { value == FORMAT }],
    'id' => ['a firing id', ->(value) { PuppetX::Trigger::Ulid.valid?(value) }],
    'trigger' => ['1 to 255 characters, none of them a control character',
                  ->(value) { value.is_a?(String) && PuppetX::Trigger::Rules.trigger_name?(value) }],
    'origin' => ['an object with kind and node',
                 ->(value) { value.is_a?(Hash) && %w[puppet cli].include?(value['kind']) && text?(value['node'], 255) }],
    'targets' => ["1 to #{PuppetX::Trigger::HostList::MAX} host names, each once", ->(value) { targets?(value) }],
    'job' => ['an object with plugin and args, names to strings', ->(value) { job?(value) }],
    'tags' => ["at most #{MAX_TAGS} strings of at most 1024 characters", ->(value) { texts?(value || [], MAX_TAGS, 1024) }],
    'ttl' => ['a whole number of at least -1', ->(value) { value.is_a?(Integer) && value >= -1 }],
    'chain' => ["at most #{MAX_CHAIN} links", ->(value) { chain?(value || []) }],
    'created_at' => ['a time', ->(value) { text?(value, 40) }],
  }.freeze

  class << self
    # @param text [String] bytes
    # @return [Document]
    # @raise [InvalidFiring] saying what is wrong, never showing the content
    def parse(text)
      if text.bytesize > MAX_BYTES
        raise invalid("it has #{text.bytesize} bytes, and at most #{MAX_BYTES} are allowed. Shorten args, or give fewer hosts")
      end

      utf8 = text.dup.force_encoding(Encoding::UTF_8)
      raise invalid('it is not UTF-8') unless utf8.valid_encoding?

      new(check(JSON.parse(utf8, max_nesting: MAX_DEPTH)), utf8.freeze)
    rescue JSON::ParserError
      raise invalid('it is not JSON, or nested too deeply')
    end

    # @return [Boolean] whether this is a chain of firings
    def chain?(value)
      value.is_a?(Array) && value.size <= MAX_CHAIN && value.all? { |link| link?(link) }
    end

    private

    def check(values)
      raise invalid('it is not an object') unless values.is_a?(Hash)

      field, (words,) = FIELDS.find { |name, (_, accepts)| !instance_exec(values[name], &accepts) }
      raise invalid("#{field} must be #{words}") if field

      values
    end

    def invalid(why)
      PuppetX::Trigger::InvalidFiring.new("this firing cannot be published: #{why}")
    end

    def text?(value, max)
      value.is_a?(String) && value.length <= max
    end

    def texts?(value, count, max)
      value.is_a?(Array) && value.size <= count && value.all? { |item| text?(item, max) }
    end

    def targets?(value)
      texts?(value, PuppetX::Trigger::HostList::MAX, 253) && value.any? && value.uniq.size == value.size &&
        value.all? { |name| PuppetX::Trigger::HostList::NAME.match?(name) }
    end

    def job?(value)
      value.is_a?(Hash) && (value['plugin'].nil? || text?(value['plugin'], 255)) &&
        (value['args'] || {}).is_a?(Hash) && (value['args'] || {}).values.all?(String)
    end

    def link?(value)
      value.is_a?(Hash) && PuppetX::Trigger::Ulid.valid?(value['firing']) && text?(value['node'], 253) &&
        PuppetX::Trigger::HostList::NAME.match?(value['node']) &&
        value['trigger'].is_a?(String) && PuppetX::Trigger::Rules.trigger_name?(value['trigger'])
    end
  end

  # @return [String] the ULID
  attr_reader :id
  # @return [Array<String>] node names
  attr_reader :targets
  # @return [String] the document, byte for byte
  attr_reader :json

  def initialize(values, json)
    @id = values['id']
    @targets = values['targets']
    @json = json
  end

  # @return [String] what is put into each inbox
  def entry
    JSON.generate(format: FORMAT, firing: id)
  end
end
