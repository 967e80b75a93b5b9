# frozen_string_literal: true

# The structured fact `trigger`: the state of the daemon `triggerd` on this node, if the daemon answers within 0.2 s. Otherwise
# the fact reads the daemon's files. See docs/how-to/nodes.md.
Facter.add(:trigger) do
  setcode do
    require_relative '../puppet_x/trigger/node_state'
    PuppetX::Trigger::NodeState.new.to_h
  rescue StandardError => e
    # An exception in a fact would fail the Puppet run.
    Facter.warn("trigger: no fact: #{e.class}: #{e.message}")
    nil
  end
end
