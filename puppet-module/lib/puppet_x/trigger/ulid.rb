# frozen_string_literal: true

require 'securerandom'
require_relative 'errors'

# IDs of firings: 48 bits of milliseconds and 80 random bits in Crockford's base 32.
module PuppetX::Trigger::Ulid
  ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
  LENGTH = 26
  PATTERN = /\A[0-7][0-9A-HJKMNP-TV-Z]{25}\z/.freeze

  # @param time [Time] when the id is made
  # @return [String] a new id of 26 characters
  def self.generate(time = Time.now)
    milliseconds = (time.to_r * 1000).to_i
    encode((milliseconds << 80) | SecureRandom.random_number(1 << 80))
  end

  # @return [Boolean] whether this is an id
  def self.valid?(value)
    value.is_a?(String) && PATTERN.match?(value)
  end

  # @param number [Integer] below 2**128
  # @return [String] the number in 26 characters, most significant first
  def self.encode(number)
    digits = Array.new(LENGTH) { |index| ALPHABET[(number >> (5 * index)) & 31] }
    digits.reverse.join
  end
  private_class_method :encode
end
