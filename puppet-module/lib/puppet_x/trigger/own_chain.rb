# frozen_string_literal: true

require_relative 'audience'
require_relative 'errors'

# A wait for a node that waits for this run would never end, because the run there begins when this one has ended.
module PuppetX::Trigger::OwnChain
  # @param hosts [Array<String>] to wait for
  # @param node [String] this node
  # @param context [RunContext] what led to this run
  # @raise [Error] naming the nodes
  def self.refuse(hosts, node, context)
    return unless (names = hosts & [node.downcase, *context.nodes]).any?

    which = names.first(PuppetX::Trigger::Audience::SHOWN).map { |name| "#{name} #{why(name, node)}" }
    raise PuppetX::Trigger::Error, "waiting would never end: #{which.join(', ')}. Remove `wait`, or remove these nodes from `hosts`"
  end

  def self.why(name, node)
    name == node.downcase ? 'is this node' : 'is in the chain that led to this run'
  end
  private_class_method :why
end
