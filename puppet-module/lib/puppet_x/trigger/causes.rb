# frozen_string_literal: true

require_relative 'text'

# The resources whose change led to a refresh.
#
# A refresh comes along the edges of the relationship graph that carry a callback, so the search follows them back. A class or
# define has left two nameless anchors ("whits") in the graph; behind them are the resources it contains. A resource that
# was itself refreshed passed on another resource's change, so the search names it and continues behind it.
class PuppetX::Trigger::Causes
  LIMIT = 20

  # @param resource [Puppet::Type] the refreshed resource, in a catalog
  # @param report [Puppet::Transaction::Report, nil] of this run
  def initialize(resource, report)
    @resource = resource
    @graph = resource.catalog&.relationship_graph
    @statuses = report ? report.resource_statuses : {}
  end

  # @return [Array<Hash>] at most LIMIT causes, in the order in which they happened
  def to_a
    changes.first(LIMIT).map { |status, events| describe(status, events) }
  end

  # @return [Integer] how many resources changed
  def total
    changes.size
  end

  private

  def changes
    @changes ||= notifiers.uniq.filter_map { |notifier| change(notifier) }.sort_by { |_, events| events.first.time }
  end

  def change(notifier)
    status = @statuses[notifier.to_s]
    events = status ? status.events.select { |event| event.status == 'success' } : []
    [status, events] if events.any?
  end

  def notifiers
    return [] unless @graph&.vertex?(@resource)

    seen = [@resource]
    queue = sources(@resource)
    while (source = queue.shift)
      next if seen.include?(source)

      seen << source
      queue.concat(sources(source)) if passes_on?(source)
    end
    seen.drop(1).reject { |vertex| anchor?(vertex) }
  end

  def sources(target)
    @graph.adjacent(target, direction: :in, type: :edges).select(&:callback).map(&:source)
  end

  def passes_on?(source)
    anchor?(source) || @statuses[source.to_s]&.restarted
  end

  def anchor?(vertex)
    vertex.is_a?(Puppet::Type.type(:whit))
  end

  # Puppet has already redacted the messages of sensitive properties.
  def describe(status, events)
    property = events.filter_map { |event| event.property.to_s[/.+/] }.first
    message = events.map { |event| event.message.to_s }.uniq.join('; ')
    { resource: clip(status.resource), file: clip(status.file), line: status.line, property: clip(property),
      message: clip(message) }
  end

  def clip(text)
    PuppetX::Trigger::Text.clip(text)
  end
end
