# frozen_string_literal: true

require 'json'
require_relative 'document'
require_relative 'errors'

# The firings that led to this run. The daemon writes them to the file that TRIGGERD_CONTEXT names.
class PuppetX::Trigger::RunContext
  VARIABLE = 'TRIGGERD_CONTEXT'
  MAX_BYTES = 16 * 1024 * 1024

  # @return [Array<Hash>] the firings that led here, the oldest first: firing, node, trigger
  attr_reader :chain
  # @return [Integer, nil] how many hops a firing of this run may have; may be -1
  attr_reader :ttl

  # @return [Array<String>] nodes whose runs led here, some of which may still wait for this one
  attr_reader :nodes

  def initialize(chain, ttl, origins = [])
    @chain = chain
    @ttl = ttl
    @nodes = [*origins, *chain.map { |link| link['node'] }].uniq
  end

  # A run that no firing started.
  NONE = new([].freeze, nil).freeze

  # @yieldparam problem [String] why the chain begins anew here, which costs a loop one more round at most
  # @return [RunContext]
  def self.load(path = ENV.fetch(VARIABLE, nil))
    return NONE if path.nil? || path.empty?

    parse(File.open(path, File::RDONLY | File::NONBLOCK) { |file| file.read(MAX_BYTES) }.to_s)
  rescue SystemCallError => e
    yield "#{VARIABLE} names #{path}, which cannot be read: #{e.class.new.message}"
    NONE
  rescue JSON::ParserError, EncodingError, ArgumentError
    yield "#{VARIABLE} names #{path}, which is not a context that triggerd writes"
    NONE
  end

  def self.parse(text)
    values = JSON.parse(text.dup.force_encoding(Encoding::UTF_8))
    raise ArgumentError unless values.is_a?(Hash) && values['format'] == PuppetX::Trigger::Document::FORMAT

    ttl = values['ttl']
    chain = newest(values['chain'] || [])
    known = PuppetX::Trigger::Document.chain?(chain) && (ttl.nil? || (ttl.is_a?(Integer) && ttl >= -1))
    raise ArgumentError unless known

    new(chain.map { |link| link.slice('firing', 'node', 'trigger') }, ttl, origins(values['firings']))
  end

  # The Puppet runs that published the firings of this run: the chain has only nodes where a firing ran.
  def self.origins(firings)
    known = Array(firings).filter_map { |firing| firing['origin'] if firing.is_a?(Hash) }
    known.filter_map { |origin| origin['node'] if origin.is_a?(Hash) && origin['kind'] == 'puppet' && origin['node'].is_a?(String) }
  end

  # The maximum number of links in a document. A shorter loop is still recognized.
  def self.newest(chain)
    chain.is_a?(Array) ? chain.last(PuppetX::Trigger::Document::MAX_CHAIN) : chain
  end
  private_class_method :parse, :newest, :origins
end
