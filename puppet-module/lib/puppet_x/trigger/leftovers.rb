# frozen_string_literal: true

require 'timeout'
require_relative 'client_settings'
require_relative 'drain'
require_relative 'gateway'
require_relative 'keys'
require_relative 'publication'
require_relative 'spool'

# Gives a provider class `prefetch`. Before its first trigger, a run delivers the firings that earlier runs have left in the spool,
# as a running daemon does. Both at the same time is harmless. Puppet calls `prefetch` only if the catalog has a trigger.
module PuppetX::Trigger::Leftovers
  # The maximum delay of a run in seconds.
  LIMIT = 5
  PATIENCE = { rounds: 1, open_timeout: 1, read_timeout: 3 }.freeze
  SEEN = ObjectSpace::WeakMap.new

  # No StandardError, so that no rescue on the way catches it as its own error.
  class Late < Exception; end # rubocop:disable Lint/InheritException

  # Puppet calls this with the triggers of one provider.
  def prefetch(resources)
    catalog = resources.values.first&.catalog
    return if Puppet[:noop] || resources.values.all?(&:noop?) || (catalog && SEEN.key?(catalog))

    SEEN[catalog] = catalog if catalog
    PuppetX::Trigger::Leftovers.deliver
  end

  # Never raises: firings of earlier runs must not fail this run.
  def self.deliver
    settings = PuppetX::Trigger::ClientSettings.load
    drain = PuppetX::Trigger::Drain.new(PuppetX::Trigger::Spool.new(settings.spool)) { |firing, place| publish(firing, place) }
    late = run_in_time(drain)
    report(drain, settings.spool, late)
  rescue StandardError => e
    Puppet.warning("Trigger: could not deliver the firings that earlier runs left in the spool: #{e.message}")
  end

  def self.run_in_time(drain)
    Timeout.timeout(LIMIT, Late) { drain.run }
    nil
  rescue Late
    "the delivery took longer than #{LIMIT} s"
  end

  def self.publish(firing, place)
    settings = PuppetX::Trigger::ClientSettings.load(place.to_h)
    gateway = PuppetX::Trigger::Gateway.from(settings, **PATIENCE)
    PuppetX::Trigger::Publication.new(gateway, PuppetX::Trigger::Keys.new(settings.prefix), firing).publish
  end

  def self.report(drain, path, late)
    Puppet.notice("Trigger: delivered #{count(drain.delivered)} left in the spool") if drain.delivered.positive?
    drain.rejected.each { |problem| Puppet.warning("Trigger: moved to #{path}/rejected: #{problem}") }
    return if drain.waiting.zero?

    Puppet.warning("Trigger: #{count(drain.waiting)} wait in the spool #{path}; the daemon triggerd, or a later Puppet " \
                   "run with a trigger, delivers them: #{late || drain.problem&.message}")
  end

  def self.count(number)
    "#{number} #{number == 1 ? 'firing' : 'firings'}"
  end
  private_class_method :run_in_time, :publish, :report, :count
end
