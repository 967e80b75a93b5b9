# frozen_string_literal: true

require 'puppet_x/trigger/firing'

# Firings for specs that need just any.
module SampleFiring
  def self.to(targets, **options)
    PuppetX::Trigger::Firing.new(trigger: 'sample', origin: { kind: 'puppet', node: 'web01' }, targets: targets, **options)
  end

  # @return [Array<String>] that many host names
  def self.hosts(count)
    (1..count).map { |number| format('node%03d.example.com', number) }
  end
end
