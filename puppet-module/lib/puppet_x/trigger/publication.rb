# frozen_string_literal: true

require 'json'
require_relative 'errors'
require_relative 'transaction'

# Puts one firing into etcd as a whole or not at all, and once, even when several processes try it several times.
# The protocol is in docs/reference/keyspace.md, “Publishing”.
class PuppetX::Trigger::Publication
  # Together with the firing itself this is one operation less than etcd's limit of 128.
  MAX_TARGETS_AT_ONCE = 126
  CHUNK = 100

  # How often a chunked publication starts again after a sweeper took it for abandoned.
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
    @targets_key = keys.targets(firing.id)
    @marker_key = keys.publishing(firing.id)
  end

  # @raise [PublishError] ConflictError where etcd has another firing with this id
  def publish
    starts = at_once? ? 1 : MAX_STARTS
    return if starts.times.any? { carry_out }

    raise PuppetX::Trigger::PublishError, 'the publication took too long, and the sweeper deleted it; nothing was fired. ' \
                                          'Check how fast etcd answers'
  end

  private

  def at_once?
    @firing.targets.size <= MAX_TARGETS_AT_ONCE
  end

  # Each step compares the marker's create revision. A sweeper that takes this publication for abandoned deletes the marker
  # and the list of targets first. Another publisher of the same document may then put a new marker, and the entries
  # written so far may be gone. A publisher that finds a marker continues under it, and writes all entries itself.
  #
  # @return [Boolean] whether the firing is committed, by us or by somebody else; false when the marker was lost
  def carry_out
    first = commit([Transaction.absent(@firing_key)], opening)
    return committed_before?(first) unless first.succeeded?

    at_once? || carry_on([Transaction.created_at(@marker_key, first.create_revision)])
  end

  def carry_on(marked)
    listed = commit([*marked, Transaction.absent(@targets_key)], [Transaction.put(@targets_key, @firing.json)])
    return committed_before?(listed) unless listed.succeeded? || listed_before?(listed)

    remaining.each do |operations|
      outcome = commit(marked, operations)
      return committed_before?(outcome) unless outcome.succeeded?
    end
    true
  end

  def opening
    return [Transaction.put(@firing_key, @firing.json), *entries(@firing.targets)] if at_once?

    [Transaction.put(@marker_key, @firing.entry), Transaction.get(@marker_key)]
  end

  def remaining
    last = [Transaction.put(@firing_key, brief), Transaction.delete(@marker_key)]
    [*@firing.targets.each_slice(CHUNK).map { |nodes| entries(nodes) }, last]
  end

  # The document that each target reads: all except the list of targets. Nobody compares these bytes.
  def brief
    JSON.generate(JSON.parse(@firing.json).merge('targets' => nil, 'targets_total' => @firing.targets.size))
  end

  def commit(comparisons, operations)
    reads = [@firing_key, @targets_key].map { |key| Transaction.get(key) }
    @gateway.commit(Transaction.build(compare: comparisons, success: operations, failure: reads))
  end

  def committed_before?(outcome)
    committed = outcome.found(@firing_key)
    return false if committed.nil?

    ours?(outcome.found(@targets_key) || committed)
  end

  def listed_before?(outcome)
    list = outcome.found(@targets_key)
    !list.nil? && ours?(list)
  end

  # @param whole [String] the bytes of the whole document in etcd
  def ours?(whole)
    return true if whole == @firing.json.b

    raise PuppetX::Trigger::ConflictError, "etcd holds another firing with the id #{@firing.id}; nothing was fired"
  end

  def entries(nodes)
    nodes.map { |node| Transaction.put(@keys.inbox(node, @firing.id), entry) }
  end

  # An entry that exists before its firing says so, with the number of targets, so its node need not read at once.
  def entry
    @entry ||= at_once? ? @firing.entry : JSON.generate(JSON.parse(@firing.entry).merge('early' => @firing.targets.size))
  end
end
