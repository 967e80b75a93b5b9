# frozen_string_literal: true

require_relative 'errors'

# The nodes that a firing goes to, as a manifest or a PuppetDB query gives them.
module PuppetX::Trigger::HostList
  LABEL = /[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?/.freeze
  NAME = /\A(?=.{1,253}\z)#{LABEL}(?:\.#{LABEL})*\z/.freeze
  MAX = 10_000
  RULE = 'a host name has labels of letters, digits, "-" and "_" (not beginning or ending with "-", at most 63 ' \
         'characters), separated by dots, and at most 253 characters in all'

  # @param value [String, Array] one name, or names in any nesting
  # @return [Array<String>] names in lower case, each once, in the order given
  # @raise [ArgumentError] naming the value that is no host name, and the rule
  def self.parse(value)
    names = [value].flatten.map { |host| parse_one(host) }.uniq
    raise ArgumentError, "hosts may name #{MAX} nodes at most, got #{names.size}" if names.size > MAX

    names
  end

  def self.parse_one(host)
    raise ArgumentError, "hosts must be host names, got #{host.inspect} (#{host.class})" unless host.is_a?(String)

    name = host.downcase
    raise ArgumentError, "#{host.inspect} in hosts is not a host name: #{RULE}" unless NAME.match?(name)

    name
  end
  private_class_method :parse_one
end
