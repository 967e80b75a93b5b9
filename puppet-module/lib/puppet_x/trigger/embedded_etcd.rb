# frozen_string_literal: true

require 'json'
require 'uri'
require_relative 'errors'
require_relative 'rules'

# The etcd that the daemon of this node runs itself (`[etcd] embedded = true`). Its port accepts only its own certificates, which
# belong to root. The daemon writes their paths into its state folder.
class PuppetX::Trigger::EmbeddedEtcd
  LOOPBACK = ['127.0.0.1', 'localhost', '::1'].freeze
  TLS_FILES = %w[ca_file cert_file key_file].freeze

  # @param spool [String] the node's spool, whose folder is the daemon's state folder
  # @return [EmbeddedEtcd, nil] nil where the daemon has none, or this process may not know
  def self.beside(spool)
    file = File.join(File.dirname(spool), 'etcd', 'client.json')
    found = File.lstat(file)
    # A user who can write there decides where firings go.
    return unless found.file? && [0, Process.euid].include?(found.uid) && (found.mode & 0o022).zero?

    new(JSON.parse(File.read(file, encoding: 'UTF-8')))
  rescue SystemCallError, JSON::ParserError, EncodingError
    nil
  end

  # @param settings [Hash{String => Object}] in the form of client.json
  def initialize(settings)
    @settings = settings
  end

  # @return [Hash{String => Object}] what is not about the way to etcd, in the form of client.json
  def place
    @settings.slice('prefix', 'node', 'spool', 'socket')
  end

  # Settings from before this etcd had TLS, or without certificates, still mean this etcd.
  # @param values [Hash{String => Object}] settings in the form of client.json
  # @return [Hash{String => Object}] the same, with https and the certificates where all endpoints mean this etcd
  def complete(values)
    endpoints = values['endpoints'] && PuppetX::Trigger::Rules.endpoints(values['endpoints'])
    return values unless endpoints.nil? || (values['ca_file'].nil? && endpoints.all? { |url| mine?(url) })

    values.merge(@settings.slice('endpoints', *TLS_FILES))
  end

  private

  def mine?(url)
    uri = URI.parse(url)
    LOOPBACK.include?(uri.hostname) && uri.port == URI.parse(@settings.fetch('endpoints').first).port
  end
end
