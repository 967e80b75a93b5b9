# frozen_string_literal: true

require_relative 'errors'
require_relative 'listing'
require_relative 'outcome'

# The outcomes of one firing, read from etcd: first all of them, then those that have changed. It reads the present state and
# no history, so a compaction or a restart of etcd loses nothing.
class PuppetX::Trigger::EtcdOutcomes
  # @param gateway [#range]
  # @param keys [Keys]
  # @param id [String] of the firing
  # @param publish [Proc, nil] to be called, until it succeeds, where etcd does not have the firing yet
  def initialize(gateway, keys, id, publish: nil)
    @gateway = gateway
    @prefix = keys.outcomes(id)
    @publish = publish
    @since = 0
  end

  # Reads once, and does not block.
  # @yieldparam outcome [Outcome]
  # @raise [PublishError] when etcd is away; RefusedError where looking again is useless
  def look(_seconds, &block)
    publish
    revision = each_page { |page| page.values.filter_map { |text| PuppetX::Trigger::Outcome.parse(text) }.each(&block) }
    # A lower revision means another store, such as a restored backup.
    @since = revision + 1 < @since ? 0 : revision + 1
  rescue PuppetX::Trigger::PublishError
    @since = 0
    raise
  end

  private

  def publish
    @publish&.call
    @publish = nil
  end

  # Later pages may be newer. An outcome that changed meanwhile is read again, which is harmless.
  # @return [Integer] the revision of the first page
  def each_page
    first = nil
    key = nil
    loop do
      page = PuppetX::Trigger::Listing.new(@gateway.range(PuppetX::Trigger::Listing.request(@prefix, since: @since, after: key)))
      first ||= page.revision
      yield page
      key = page.continue_after
      return first if key.nil?
    end
  end
end
