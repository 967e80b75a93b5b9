# frozen_string_literal: true

require_relative 'errors'
require_relative 'outcome'

# The outcomes of one firing, as the daemon of this node tells them through its control socket.
class PuppetX::Trigger::DaemonOutcomes
  # Seconds without a word after which it is asked anew: it may have been frozen, or replaced.
  SILENCE = 60

  # @param socket [ControlSocket]
  # @param id [String] of the firing
  def initialize(socket, id)
    @socket = socket
    @id = id
  end

  # All outcomes, then each as it changes, for so long.
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
