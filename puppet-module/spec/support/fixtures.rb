# frozen_string_literal: true

require 'json'

# The documents that every reader and writer of the keyspace is tested against.
module Fixtures
  FOLDER = File.expand_path('../../../spec/fixtures/keyspace', __dir__)

  # What an address may be, by its use: for the daemon and for this module alike.
  def self.addresses
    JSON.parse(File.read(File.expand_path('../addresses.json', FOLDER), encoding: 'UTF-8'))
  end

  def fixture(name)
    JSON.parse(File.read(File.join(FOLDER, "#{name}.json"), encoding: 'UTF-8'))
  end

  # The shape of a document: its keys, with the classes of their values.
  def shape(value)
    case value
    when Hash then value.transform_values { |item| shape(item) }
    when Array then value.map { |item| shape(item) }.uniq
    when true, false then :boolean
    else value.class
    end
  end
end
