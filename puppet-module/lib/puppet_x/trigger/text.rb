# frozen_string_literal: true

require_relative 'errors'

# Makes texts fit for a document: readers refuse one that is not UTF-8 or too long, so better a cut text than no firing.
module PuppetX::Trigger::Text
  LIMIT = 1000

  # @param value [#to_s, nil]
  # @return [String, nil] valid UTF-8 of at most LIMIT characters
  def self.clip(value)
    return if value.nil?

    text = value.to_s.dup.force_encoding(Encoding::UTF_8).scrub
    text.length > LIMIT ? "#{text[0, LIMIT - 1]}…" : text
  end
end
