# frozen_string_literal: true

require_relative 'document'
require_relative 'firing'
require_relative 'origin'
require_relative 'own_chain'
require_relative 'run_context'

# The firing of a refreshed trigger.
module PuppetX::Trigger::ResourceFiring
  # @param resource [Puppet::Type] the trigger
  # @param node [String, nil] the name of this node where it is not its certname
  # @return [Firing]
  # @raise [InvalidFiring] where no reader would take it
  # @raise [Error] where waiting for it could never end
  def self.of(resource, node)
    context = PuppetX::Trigger::RunContext.load { |problem| resource.warning("#{problem}; the chain of firings starts here") }
    PuppetX::Trigger::OwnChain.refuse(resource[:hosts], node || Puppet[:certname], context) if resource[:wait]
    firing = PuppetX::Trigger::Firing.new(
      trigger: resource[:name],
      origin: PuppetX::Trigger::Origin.new(resource, node).to_h,
      targets: resource[:hosts],
      job: { plugin: resource[:plugin], args: resource[:args] || {} },
      tags: Array(resource[:tag]).map(&:to_s),
      ttl: resource[:ttl],
      keyttl: resource[:keyttl],
      context: context,
    )
    PuppetX::Trigger::Document.parse(firing.json)
    firing
  end
end
