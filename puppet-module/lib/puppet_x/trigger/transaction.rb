# frozen_string_literal: true

require_relative 'errors'

# Builds transactions for etcd's JSON gateway, where keys and values are base64, and reads their results.
module PuppetX::Trigger::Transaction
  module_function

  # @return [Hash] a transaction: if all comparisons hold `success` is done, else `failure`
  def build(compare:, success:, failure: [])
    { compare: compare, success: success, failure: failure }
  end

  def absent(key)
    { key: encode(key), target: 'CREATE', result: 'EQUAL', create_revision: '0' }
  end

  # The key exists, and has not been deleted since.
  def created_at(key, revision)
    { key: encode(key), target: 'CREATE', result: 'EQUAL', create_revision: revision }
  end

  def put(key, value)
    { request_put: { key: encode(key), value: encode(value) } }
  end

  def get(key)
    { request_range: { key: encode(key) } }
  end

  def delete(key)
    { request_delete_range: { key: encode(key) } }
  end

  def encode(text)
    [text].pack('m0')
  end

  # The result of a transaction.
  class Outcome
    # @param answer [Hash] of /v3/kv/txn
    def initialize(answer)
      @answer = answer
    end

    # The gateway leaves `succeeded` out where it is false.
    def succeeded?
      @answer['succeeded'] == true
    end

    # @return [String, nil] the bytes that a `get` found under this key
    def found(key)
      pair = pairs.find { |each| each['key'].to_s.unpack1('m') == key.b }
      pair && pair['value'].to_s.unpack1('m')
    end

    # @return [String, nil] the create revision of the key that the first `get` found
    def create_revision
      pairs.first&.fetch('create_revision')
    end

    private

    def pairs
      ranges = Array(@answer['responses']).filter_map { |response| response['response_range'] }
      ranges.flat_map { |range| range['kvs'] || [] }
    end
  end
end
