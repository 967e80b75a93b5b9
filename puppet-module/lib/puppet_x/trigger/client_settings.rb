# frozen_string_literal: true

require 'json'
require_relative 'embedded_etcd'
require_relative 'errors'
require_relative 'rules'
require_relative 'small_file'

# The settings by which this node reaches etcd. The manifest overrides client.json (written by the class
# `trigger::watch::etcd`), which overrides the file that the node's daemon writes for its own etcd, then the defaults apply.
class PuppetX::Trigger::ClientSettings
  DEFAULT_PATH = '/etc/triggerd/client.json'
  TEXTS = %w[prefix ca_file cert_file key_file username password_file node spool socket].freeze
  KEYS = ['endpoints', *TEXTS].freeze
  PATHS = %w[spool socket].freeze
  DEFAULTS = { 'endpoints' => ['http://127.0.0.1:2379'], 'prefix' => '/trigger', 'spool' => '/var/lib/triggerd/spool',
               'socket' => '/run/triggerd/triggerd.sock' }.freeze

  # @return [String] where the settings come from; TRIGGERD_CLIENT_JSON names another file
  def self.path
    ENV['TRIGGERD_CLIENT_JSON'] || DEFAULT_PATH
  end

  # @param overrides [Hash{String => Object}] what a manifest says; nil means that it says nothing
  # @return [ClientSettings]
  # @raise [SettingsError] with the file, what is wrong and what is possible
  def self.load(overrides = {})
    new(path, read(path), overrides.compact, embedded: true)
  end

  def self.read(path)
    return {} if path == DEFAULT_PATH && !File.exist?(path)

    text = PuppetX::Trigger::SmallFile.read(path)
    raise EncodingError unless text.valid_encoding?

    JSON.parse(text)
  rescue SystemCallError => e
    raise PuppetX::Trigger::SettingsError, "cannot read the client settings: #{e.message}"
  rescue JSON::ParserError, EncodingError
    raise PuppetX::Trigger::SettingsError, "#{path} is not valid JSON; `python3 -m json.tool #{path}` shows where"
  end
  private_class_method :read

  attr_reader :path, :endpoints, :prefix

  TEXTS.drop(1).each { |key| define_method(key) { @values[key] } }

  # @param embedded [Boolean] whether an etcd of the node's own daemon counts
  def initialize(path, values, overrides = {}, embedded: false)
    @path = path
    check(values)
    given = values.compact
    @values = DEFAULTS.merge(embedded ? with_embedded(given, overrides) : given.merge(overrides))
    @endpoints = PuppetX::Trigger::Rules.endpoints(@values['endpoints'])
    @prefix = PuppetX::Trigger::Rules.key_prefix(@values['prefix'])
  rescue ArgumentError => e
    raise PuppetX::Trigger::SettingsError, "#{path}: #{e.message}"
  end

  # @return [String, nil] read from its file now, so that a changed password is used at once
  def password
    return unless username
    raise PuppetX::Trigger::SettingsError, "#{path}: username needs password_file" unless password_file

    PuppetX::Trigger::SmallFile.read(password_file).chomp
  rescue SystemCallError => e
    raise PuppetX::Trigger::SettingsError, "#{path}: cannot read password_file: #{e.message}"
  end

  private

  # A client.json says more about this node than the daemon does, such as another prefix.
  def with_embedded(given, overrides)
    embedded = PuppetX::Trigger::EmbeddedEtcd.beside(given['spool'] || DEFAULTS['spool'])
    return given.merge(overrides) unless embedded

    embedded.complete((given.empty? ? embedded.place : given).merge(overrides))
  end

  def check(values)
    raise ArgumentError, 'the file must contain one JSON object' unless values.is_a?(Hash)

    unknown = values.keys - KEYS
    raise ArgumentError, "unknown key '#{unknown.first}'; known keys: #{KEYS.join(', ')}" if unknown.any?

    wrong = TEXTS.find { |key| !values[key].nil? && !values[key].is_a?(String) }
    raise ArgumentError, "#{wrong} must be a string" if wrong

    relative = PATHS.find { |key| values[key] && !values[key].start_with?('/') }
    raise ArgumentError, "#{relative} must be an absolute path, got #{values[relative].inspect}" if relative
  end
end
