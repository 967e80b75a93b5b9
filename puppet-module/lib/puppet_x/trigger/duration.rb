# frozen_string_literal: true

require_relative 'errors'

# Durations in manifests and logs: whole seconds, or texts such as `90s`, `10m` or `1h30m`.
module PuppetX::Trigger::Duration
  UNITS = { 'd' => 86_400, 'h' => 3600, 'm' => 60, 's' => 1 }.freeze
  TEXT = /\A(?:\d+[dhms])+\z/.freeze

  # @param name [String] of the parameter, for the message
  # @param range [Range] of seconds
  # @return [Integer] seconds
  # @raise [ArgumentError] with what is possible
  def self.parse(name, value, range)
    seconds = seconds(value.to_s)
    return seconds if seconds && range.cover?(seconds)

    raise ArgumentError, "#{name} must be seconds or a duration such as 90s, 10m or 1h30m, from #{format(range.begin)} to " \
                         "#{format(range.end)}, got #{value.inspect}"
  end

  # @param seconds [Integer]
  # @return [String] such as `1h30m`
  def self.format(seconds)
    parts = UNITS.map do |unit, size|
      amount, seconds = seconds.divmod(size)
      "#{amount}#{unit}" if amount.positive?
    end
    parts.compact.join.then { |text| text.empty? ? '0s' : text }
  end

  def self.seconds(text)
    return text.to_i if text.match?(/\A\d+\z/)
    return unless TEXT.match?(text)

    text.scan(/(\d+)([dhms])/).sum { |amount, unit| amount.to_i * UNITS.fetch(unit) }
  end
  private_class_method :seconds
end
