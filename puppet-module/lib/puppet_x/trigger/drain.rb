# frozen_string_literal: true

require_relative 'errors'

# Delivers the firings in the spool, the oldest first. It may be interrupted at any point.
class PuppetX::Trigger::Drain
  # @return [Integer] firings that etcd has now
  attr_reader :delivered
  # @return [Integer] firings that are still in the spool
  attr_reader :waiting
  # @return [Array<String>] what has been set aside, and why
  attr_reader :rejected
  # @return [Error, nil] why firings are still waiting
  attr_reader :problem

  # @param spool [Spool]
  # @yieldparam document [Document] to be published
  # @yieldparam place [Place, nil] where, if not where the client settings say
  def initialize(spool, &publish)
    @spool = spool
    @publish = publish
    @delivered = 0
    @waiting = 0
    @rejected = []
  end

  # @raise [SpoolError]
  def run
    names = @spool.waiting
    @waiting = names.size
    names.each { |name| break if deliver(name) == :away }
  end

  private

  # A firing that etcd refuses, or that cannot be read, must not delay the others. While etcd is away all wait.
  def deliver(name)
    document = @spool.read(name)
    publish(document) if document
    @waiting -= 1
  rescue PuppetX::Trigger::InvalidFiring, PuppetX::Trigger::ConflictError => e
    reject(name, e)
  rescue PuppetX::Trigger::RefusedError, PuppetX::Trigger::SpoolError => e
    @problem = e
  rescue PuppetX::Trigger::Error => e
    @problem = e
    :away
  end

  def publish(document)
    @publish.call(document, @spool.place(document.id))
    @spool.remove(document.id)
    @delivered += 1
  end

  def reject(name, error)
    @spool.reject(name, error.message)
    @waiting -= 1
    @rejected << "#{name}: #{error.message}"
  rescue PuppetX::Trigger::SpoolError => e
    @problem = e
  end
end
