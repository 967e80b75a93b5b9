# frozen_string_literal: true

# The structured fact `trigger`: what the daemon `triggerd` on this node says about itself, within 0.2 s. Where it is down, what
# its files say. See docs/how-to/nodes.md.
Facter.add(:trigger) do
  setcode do
    require_relative '../puppet_x/trigger/node_state'
    PuppetX::Trigger::NodeState.new.to_h
  rescue StandardError => e
    # A fact that raises would cost the node its run.
    Facter.warn("trigger: no fact: #{e.class}: #{e.message}")
    nil
  end
end
