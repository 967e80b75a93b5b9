# frozen_string_literal: true

require 'json'
require 'uri'
require_relative 'errors'
require_relative 'rules'

# The etcd that the daemon of this node runs for itself (`[etcd] embedded = true`). Its port is open to the holders of its
# certificates only, and they are root's, so the daemon says in its state folder how to get in.
class PuppetX::Trigger::EmbeddedEtcd
  LOOPBACK = ['127.0.0.1', 'localhost', '::1'].freeze
  TLS_FILES = %w[ca_file cert_file key_file].freeze

  # @param spool [String] the node's spool, whose folder is the daemon's state folder
  # @return [EmbeddedEtcd, nil] nil where the daemon has none, or this process may not know
  def self.beside(spool)
    file = File.join(File.dirname(spool), 'etcd', 'client.json')
    found = File.lstat(file)
    # Whoever writes there decides where firings go.
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

  # What was written for this etcd before it had TLS, or says nothing about certificates, still means this etcd.
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
