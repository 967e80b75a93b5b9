# frozen_string_literal: true

require 'json'

# @summary Renders a hash as indented JSON.
#
# @api private
Puppet::Functions.create_function(:'trigger::to_pretty_json') do
  # @param value A hash. Entries with the value undef are omitted.
  # @return [String] The document, with a line feed at its end
  # @example
  #   trigger::to_pretty_json({ 'prefix' => '/trigger' })
  dispatch :render do
    param 'Hash[String[1], Any]', :value
    return_type 'String'
  end

  def render(value)
    "#{JSON.pretty_generate(value.compact)}\n"
  end
end
