# frozen_string_literal: true

require_relative 'errors'
require_relative 'transaction'

# One page of the keys under a prefix, from etcd's JSON gateway.
class PuppetX::Trigger::Listing
  # An outcome has about 5 KiB, mostly the tail of its output.
  PAGE = 500

  # @param prefix [String] that ends with `/`
  # @param since [Integer] leave out what was last changed before this revision
  # @param after [String, nil] the last key of the page before
  # @return [Hash] for Gateway#range
  def self.request(prefix, since:, after: nil)
    { key: encode(after ? "#{after}\0" : prefix), range_end: encode("#{prefix.chomp('/')}0"), limit: PAGE, min_mod_revision: since.to_s }
  end

  def self.encode(text)
    PuppetX::Trigger::Transaction.encode(text)
  end
  private_class_method :encode

  # @param answer [Hash] of /v3/kv/range
  def initialize(answer)
    @answer = answer
  end

  # @return [Integer] of the store when it answered
  def revision
    @answer.fetch('header').fetch('revision').to_i
  end

  # @return [Array<String>] the bytes of the values
  def values
    pairs.map { |pair| pair['value'].to_s.unpack1('m') }
  end

  # @return [String, nil] the last key, if there are more
  def continue_after
    pairs.last['key'].unpack1('m') if @answer['more']
  end

  private

  def pairs
    @answer['kvs'] || []
  end
end
