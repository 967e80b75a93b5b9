# frozen_string_literal: true

require_relative 'errors'
require_relative 'transaction'

# Puts one firing into etcd: wholly or not at all, and once however often it is tried. The protocol is in
# docs/keyspace.md, “Publishing”.
class PuppetX::Trigger::Publication
  # With the firing itself that is one operation less than etcd's limit of 128.
  MAX_TARGETS_AT_ONCE = 126
  CHUNK = 100

  # Readers refuse larger documents; etcd's own limit for a request is half as much again.
  MAX_BYTES = 1024 * 1024

  Transaction = PuppetX::Trigger::Transaction

  # @param gateway [#commit]
  # @param keys [Keys]
  # @param firing [Firing]
  def initialize(gateway, keys, firing)
    @gateway = gateway
    @firing = firing
    @keys = keys
    @firing_key = keys.firing(firing.id)
    @marker_key = keys.publishing(firing.id)
  end

  # @raise [PublishError]
  def publish
    refuse_giants
    @firing.targets.size > MAX_TARGETS_AT_ONCE ? publish_in_chunks : publish_at_once
  end

  private

  def refuse_giants
    size = @firing.json.bytesize
    return if size <= MAX_BYTES

    raise PuppetX::Trigger::PublishError, "the firing has #{size} bytes, #{MAX_BYTES} are possible. To do: make args smaller"
  end

  def publish_at_once
    create_unless_committed([put_firing, *entries(@firing.targets)])
  end

  def publish_in_chunks
    return if create_unless_committed([Transaction.put(@marker_key, @firing.entry)]) == :committed_before

    @firing.targets.each_slice(CHUNK) { |nodes| put_chunk(nodes) }
    finish(commit(Transaction.present(@marker_key), [put_firing, Transaction.delete(@marker_key)]))
  end

  def create_unless_committed(operations)
    finish(commit(Transaction.absent(@firing_key), operations))
  end

  def put_chunk(nodes)
    return if commit(Transaction.present(@marker_key), entries(nodes)).succeeded?

    raise PuppetX::Trigger::PublishError, 'this publication took so long that it was given up by the sweeper; ' \
                                          'nothing was fired. To do: check how fast etcd answers'
  end

  def commit(comparison, operations)
    transaction = Transaction.build(compare: [comparison], success: operations, failure: [Transaction.get(@firing_key)])
    @gateway.commit(transaction)
  end

  # "Compare failed" is success when our own firing is there: an earlier attempt had reached etcd, its answer was lost.
  def finish(outcome)
    return :committed if outcome.succeeded?
    return :committed_before if outcome.found == @firing.json.b

    raise PuppetX::Trigger::PublishError, "etcd holds another firing under #{@firing_key}, or this one was given up " \
                                          'meanwhile; nothing was fired'
  end

  def put_firing
    Transaction.put(@firing_key, @firing.json)
  end

  def entries(nodes)
    nodes.map { |node| Transaction.put(@keys.inbox(node, @firing.id), @firing.entry) }
  end
end
