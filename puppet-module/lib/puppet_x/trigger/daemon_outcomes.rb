# frozen_string_literal: true

require_relative 'errors'
require_relative 'outcome'

# The outcomes of one firing, from the control socket of this node's daemon.
class PuppetX::Trigger::DaemonOutcomes
  # Seconds without data after which the daemon is asked again. It may have been frozen, or restarted.
  SILENCE = 60

  # @param socket [ControlSocket]
  # @param id [String] of the firing
  def initialize(socket, id)
    @socket = socket
    @id = id
  end

  # Yields all outcomes, then each one when it changes, for this time.
  # @param seconds [Numeric]
  # @yieldparam outcome [Outcome]
  # @raise [DaemonAway, PublishError] when the daemon or etcd does not answer, or etcd does not have the firing yet
  def look(seconds)
    @socket.follow(@id, [seconds, SILENCE].min) do |values|
      outcome = PuppetX::Trigger::Outcome.of(values)
      yield outcome if outcome
    end
  end
end
