# frozen_string_literal: true

require_relative 'errors'

# Makes texts valid for a document. Readers refuse a text that is not UTF-8 or too long, and a cut text is better than no firing.
module PuppetX::Trigger::Text
  LIMIT = 1000
  LINE_LIMIT = 200

  # @param value [#to_s, nil]
  # @return [String, nil] valid UTF-8 of at most LIMIT characters
  def self.clip(value)
    return if value.nil?

    text = value.to_s.dup.force_encoding(Encoding::UTF_8).scrub
    text.length > LIMIT ? "#{text[0, LIMIT - 1]}…" : text
  end

  # Text from another node, for one line of a log.
  # @return [String] of at most LINE_LIMIT characters, none of them a control character
  def self.line(value)
    text = clip(value.to_s).gsub(/[[:cntrl:]]+/, ' ').strip
    text.length > LINE_LIMIT ? "#{text[0, LINE_LIMIT - 1]}…" : text
  end
end
