# frozen_string_literal: true

require 'json'
require_relative 'errors'
require_relative 'rules'

# The etcd and prefix of a firing whose manifest does not use the node's client settings. The file is in the spool as
# `<id>.place`, because a later delivery does not have the manifest.
class PuppetX::Trigger::Place
  attr_reader :endpoints, :prefix

  # @param settings [ClientSettings] with what the manifest says
  # @param defaults [ClientSettings] without
  # @return [Place, nil] nil where they mean the same
  def self.unless_default(settings, defaults)
    return if settings.endpoints == defaults.endpoints && settings.prefix == defaults.prefix

    new(settings.endpoints, settings.prefix)
  end

  # @raise [InvalidFiring]
  def self.parse(text)
    values = JSON.parse(text)
    new(PuppetX::Trigger::Rules.endpoints(values.fetch('endpoints')), PuppetX::Trigger::Rules.key_prefix(values.fetch('prefix')))
  rescue JSON::ParserError, EncodingError, KeyError, ArgumentError, TypeError, NoMethodError
    raise PuppetX::Trigger::InvalidFiring, 'its file .place does not name an etcd and a key prefix'
  end

  def initialize(endpoints, prefix)
    @endpoints = endpoints
    @prefix = prefix
  end

  def json
    JSON.generate(endpoints: endpoints, prefix: prefix)
  end

  # @return [Hash] overrides for the client settings
  def to_h
    { 'endpoints' => endpoints, 'prefix' => prefix }
  end
end
