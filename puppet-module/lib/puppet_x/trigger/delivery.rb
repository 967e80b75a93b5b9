# frozen_string_literal: true

require_relative 'errors'

# The path of one firing: into the spool, then into etcd, then out of the spool.
#
# A firing that did not reach etcd is still in the spool, and is delivered from there later.
class PuppetX::Trigger::Delivery
  # @return [Error, nil] why the firing could not be spooled
  attr_reader :spool_problem
  # @return [Error, nil] why the firing is still in the spool
  attr_reader :problem

  # @param spool [Spool]
  # @param firing [Firing]
  # @param place [Place, nil] for the spool
  def initialize(spool, firing, place = nil)
    @spool = spool
    @firing = firing
    @place = place
  end

  # @yield publishes the firing, or raises
  # @return [Symbol] :owed when it is in etcd, :stored when it is in the spool and `problem` says why
  # @raise [Error] when it is in neither, or can never be published
  def run
    store
    yield
    @spool.remove(@firing.id) unless @spool_problem
    :owed
  rescue PuppetX::Trigger::ConflictError
    @spool.remove(@firing.id)
    raise
  rescue PuppetX::Trigger::Error => e
    raise lost(e) if @spool_problem

    @problem = e
    :stored
  end

  private

  # Without a spool the firing is still published, but is less safe.
  def store
    @spool.store(@firing, @place)
  rescue PuppetX::Trigger::SpoolError => e
    @spool_problem = e
  end

  def lost(error)
    PuppetX::Trigger::Error.new("#{error.message}. The firing is not in the spool either: #{@spool_problem.message}")
  end
end
