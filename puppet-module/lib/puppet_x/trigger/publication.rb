# frozen_string_literal: true

require_relative 'errors'
require_relative 'transaction'

# Puts one firing into etcd: wholly or not at all, and once however often it is tried, also by several at the same time.
# The protocol is in docs/keyspace.md, “Publishing”.
class PuppetX::Trigger::Publication
  # With the firing itself that is one operation less than etcd's limit of 128.
  MAX_TARGETS_AT_ONCE = 126
  CHUNK = 100

  # How often a chunked publication starts anew after a sweeper took it for abandoned.
  MAX_STARTS = 3

  Transaction = PuppetX::Trigger::Transaction

  # @param gateway [#commit]
  # @param keys [Keys]
  # @param firing [Firing, Document]
  def initialize(gateway, keys, firing)
    @gateway = gateway
    @firing = firing
    @keys = keys
    @firing_key = keys.firing(firing.id)
    @marker_key = keys.publishing(firing.id)
  end

  # @raise [PublishError] ConflictError where etcd has another firing with this id
  def publish
    starts = at_once? ? 1 : MAX_STARTS
    return if starts.times.any? { carry_out }

    raise PuppetX::Trigger::PublishError, 'this publication took so long that it was given up by the sweeper; nothing ' \
                                          'was fired. To do: check how fast etcd answers'
  end

  private

  def at_once?
    @firing.targets.size <= MAX_TARGETS_AT_ONCE
  end

  # Each step holds only while its comparison does. When it does not, somebody has committed this very firing (an earlier
  # attempt whose answer was lost, another drainer), or a sweeper has taken this publication for abandoned.
  def carry_out
    steps.each do |comparison, operations|
      outcome = commit(comparison, operations)
      return committed_before?(outcome) unless outcome.succeeded?
    end
    true
  end

  def steps
    return [[Transaction.absent(@firing_key), [put_firing, *entries(@firing.targets)]]] if at_once?

    marked = Transaction.present(@marker_key)
    [[Transaction.absent(@firing_key), [Transaction.put(@marker_key, @firing.entry)]],
     *@firing.targets.each_slice(CHUNK).map { |nodes| [marked, entries(nodes)] },
     [marked, [put_firing, Transaction.delete(@marker_key)]]]
  end

  def commit(comparison, operations)
    transaction = Transaction.build(compare: [comparison], success: operations, failure: [Transaction.get(@firing_key)])
    @gateway.commit(transaction)
  end

  def committed_before?(outcome)
    return false if outcome.found.nil?
    return true if outcome.found == @firing.json.b

    raise PuppetX::Trigger::ConflictError, "etcd holds another firing under #{@firing_key}; nothing was fired"
  end

  def put_firing
    Transaction.put(@firing_key, @firing.json)
  end

  def entries(nodes)
    nodes.map { |node| Transaction.put(@keys.inbox(node, @firing.id), @firing.entry) }
  end
end
