# frozen_string_literal: true

require 'json'

# @summary Renders a hash as TOML. Sensitive values appear in clear text, so the caller must keep the document secret.
#
# @api private
Puppet::Functions.create_function(:'trigger::to_toml') do
  # @param value Sections and keys. Entries with the value undef are omitted.
  # @return [String] The document, with a line feed at its end
  # @example
  #   trigger::to_toml({ 'watch' => { 'run_cmd' => 'puppet agent --test' } })
  dispatch :render do
    param 'Hash[String[1], Any]', :value
    return_type 'String'
  end

  def render(value)
    "#{table(value, []).join("\n\n")}\n"
  end

  # TOML requires a table's own keys before its sub-tables.
  def table(value, path)
    present = value.compact.transform_values { |item| plain(item) }
    tables, scalars = present.partition { |_, item| item.is_a?(Hash) }
    lines = scalars.map { |name, item| "#{key(name)} = #{scalar(item)}" }
    lines.unshift("[#{path.map { |name| key(name) }.join('.')}]") unless path.empty? || (scalars.empty? && tables.any?)
    own = lines.empty? ? [] : [lines.join("\n")]
    tables.reduce(own) { |blocks, (name, item)| blocks + table(item, [*path, name]) }
  end

  def key(name)
    name.match?(/\A[A-Za-z0-9_-]+\z/) ? name : text(name)
  end

  def plain(item)
    item.is_a?(Puppet::Pops::Types::PSensitiveType::Sensitive) ? item.unwrap : item
  end

  def scalar(given)
    item = plain(given)
    case item
    when String then text(item)
    when Integer, Float, true, false then item.to_s
    when Array then "[#{item.map { |each| scalar(each) }.join(', ')}]"
    else raise ArgumentError, "trigger::to_toml cannot write a #{item.class}"
    end
  end

  # TOML's basic strings are JSON's, except that DEL must be escaped.
  def text(string)
    JSON.generate(string).gsub("\u007f", '\\u007f')
  end
end
