# frozen_string_literal: true

require_relative 'causes'
require_relative 'run_report'
require_relative 'text'

# The origin of a firing: this node, this run, this resource, and the changes.
class PuppetX::Trigger::Origin
  # @param resource [Puppet::Type] the trigger
  # @param node [String, nil] the name of this node where it is not its certname
  def initialize(resource, node = nil)
    @resource = resource
    @node = node || Puppet[:certname]
    @catalog = resource.catalog
    @report = PuppetX::Trigger::RunReport.for(resource)
  end

  # @return [Hash] the firing's `origin`
  def to_h
    causes = PuppetX::Trigger::Causes.new(@resource, @report)
    { kind: 'puppet', node: @node.downcase, certname: Puppet[:certname] }
      .merge(run)
      .merge(resource: @resource.ref, causes: causes.to_a, causes_total: causes.total)
  end

  private

  def run
    { environment: @catalog&.environment&.to_s, catalog_uuid: @catalog&.catalog_uuid,
      transaction_uuid: @report&.transaction_uuid, catalog_version: PuppetX::Trigger::Text.clip(@catalog&.version) }
  end
end
