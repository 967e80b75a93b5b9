# frozen_string_literal: true

require 'ipaddr'
require 'resolv'
require_relative 'errors'

# Rules for parameters and settings. Each rule returns the canonical value or raises ArgumentError.
module PuppetX::Trigger::Rules
  CONTROL_CHARACTERS = /[\u0000-\u001f\u007f]/.freeze
  PLUGIN_SEGMENT = /\A[A-Za-z0-9_.-]+\z/.freeze
  ENDPOINT = %r{\A(https?)://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(?::([0-9]{1,5}))?/?\z}i.freeze
  DEFAULT_PORTS = { 'http' => 80, 'https' => 443 }.freeze
  HOST_NAME = /\A(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(?:\.|\z))+\z/.freeze
  # Short forms of an IPv4 address, such as 127.1. Clients disagree about their meaning.
  NUMERIC_HOST = /(?:\A|\.)(?:[0-9]+|0x[0-9a-f]*)\.?\z/i.freeze
  KEY_PREFIX = %r{\A(?:/[A-Za-z0-9_.-]+)+\z}.freeze

  module_function

  # @return [String] the title of a trigger
  def trigger_name(value)
    name = value.to_s
    return name if trigger_name?(name)

    raise ArgumentError, "a trigger's name must have 1 to 255 characters and no control characters, " \
                         "got #{name.length} characters: #{name[0, 80].inspect}"
  end

  def trigger_name?(name)
    name.valid_encoding? && utf16_length(name).between?(1, 255) && !CONTROL_CHARACTERS.match?(name)
  end

  # Counts like the other readers of the keyspace: a character outside the basic plane counts as two.
  def utf16_length(text)
    text.encode('UTF-16LE').bytesize / 2
  end

  # @return [String] a plugin's path below the plugins folder
  def plugin_name(value)
    segments = value.is_a?(String) && value.length <= 255 ? value.split('/', -1) : []
    return value if segments.any? && segments.all? { |segment| plugin_segment?(segment) }

    raise ArgumentError, 'plugin must be a path below the plugins folder, such as command/command (segments of ' \
                         "letters, digits, '_', '.' and '-', joined by '/'; no '..', not absolute), got #{value.inspect}"
  end

  def plugin_segment?(segment)
    PLUGIN_SEGMENT.match?(segment) && !segment.match?(/\A\.+\z/)
  end

  # @return [Integer] a whole number within the range; numeric strings are fine
  def whole_number(name, value, range, unit = '')
    number = value.is_a?(Integer) ? value : Integer(value.to_s[/\A\s*-?\d+\s*\z/].to_s, 10)
    return number if range.cover?(number)

    raise ArgumentError
  rescue ArgumentError
    raise ArgumentError, "#{name} must be a whole number#{unit} #{describe(range)}, got #{value.inspect}"
  end

  def describe(range)
    range.end ? "from #{range.begin} to #{range.end}" : "of at least #{range.begin}"
  end

  # @return [String] the prefix of all keys, without a slash at its end
  def key_prefix(value)
    prefix = value.to_s.chomp('/')
    return prefix if KEY_PREFIX.match?(prefix)

    raise ArgumentError, "keyprefix must be a path that begins with '/', such as /trigger, got #{value.inspect}"
  end

  # @return [Array<String>] endpoints of etcd, each once
  def endpoints(value)
    list = [value].flatten.map { |url| endpoint(url) }.uniq
    raise ArgumentError, 'endpoints must have at least one URL' if list.empty?

    list
  end

  # The daemon and the configuration file have the same grammar: spec/fixtures/addresses.json.
  # @return [String] such as https://etcd1.example.com:2379, the port always there
  def endpoint(value)
    text = value.to_s
    raise ArgumentError, endpoint_refusal(text, 'no user; set username in client.json') if text.include?('@')

    scheme, host, port = ENDPOINT.match(text)&.captures
    raise ArgumentError, endpoint_refusal(text, 'no path') unless scheme && endpoint_host?(host)

    port = port ? Integer(port, 10) : DEFAULT_PORTS.fetch(scheme.downcase)
    raise ArgumentError, endpoint_refusal(text, 'a port from 1 to 65535') unless port.between?(1, 65_535)

    "#{scheme.downcase}://#{host.downcase}:#{port}"
  end

  def endpoint_host?(host)
    return IPAddr.new(host[1..-2]).ipv6? if host.start_with?('[')
    return Resolv::IPv4::Regex.match?(host) if NUMERIC_HOST.match?(host)

    host.length <= 253 && HOST_NAME.match?(host)
  rescue IPAddr::Error
    false
  end

  def endpoint_refusal(text, wanted)
    shown = text.sub(%r{\A(?:([A-Za-z][A-Za-z0-9+.-]*://)|[^@]*).*@}m, '\1…@')
    "an endpoint must look like https://etcd1.example.com:2379 (#{wanted}), got #{shown.inspect}"
  end
end
