# frozen_string_literal: true

require_relative 'errors'

# The arguments for a plugin: a hash of texts.
module PuppetX::Trigger::Arguments
  SIMPLE = [String, Symbol, Numeric, TrueClass, FalseClass].freeze

  # @param value [Hash] names to texts, numbers, booleans or symbols
  # @return [Hash{String => String}]
  # @raise [ArgumentError] naming the argument that cannot be a text, never its value
  def self.parse(value)
    raise ArgumentError, "args must be a hash of names to strings, got #{value.class}" unless value.is_a?(Hash)

    value.to_h { |name, text| [parse_name(name), parse_text(name, text)] }
  end

  def self.parse_name(name)
    text = name.to_s
    raise ArgumentError, 'args: the name of an argument must not be empty' if text.empty?

    text
  end

  def self.parse_text(name, value)
    return utf8(name, value.to_s) if SIMPLE.any? { |type| value.is_a?(type) } && value != :undef

    raise ArgumentError, "args: the value of '#{name}' must be a string, a number or a boolean, not #{value.class}" \
                         "#{advice(value)}"
  end

  def self.utf8(name, text)
    return text if text.valid_encoding?

    raise ArgumentError, "args: the value of '#{name}' must be UTF-8"
  end

  def self.advice(value)
    case value
    when nil, :undef then ' (omit the argument, or give an empty string)'
    when Hash, Array then ' (args cannot be nested; to_json from stdlib converts a value to a string)'
    else ' (etcd stores args in clear text; let the plugin read a secret from a file)'
    end
  end
  private_class_method :parse_name, :parse_text, :utf8, :advice
end
