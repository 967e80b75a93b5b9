# frozen_string_literal: true

require_relative 'errors'

# Describes the nodes of a firing for a log line, for any number of nodes.
module PuppetX::Trigger::Audience
  SHOWN = 5

  # @param nodes [Array<String>]
  # @return [String] such as `2 nodes (lb01.example.com, lb02.example.com)`
  def self.describe(nodes)
    rest = nodes.size - SHOWN
    names = nodes.first(SHOWN)
    names += ["#{rest} more"] if rest.positive?
    "#{nodes.size} #{nodes.size == 1 ? 'node' : 'nodes'} (#{names.join(', ')})"
  end
end
