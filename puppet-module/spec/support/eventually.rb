# frozen_string_literal: true

# For what happens in another thread or process.
module Eventually
  DEADLINE = 120

  # @return what the block returns, as soon as that is true
  def eventually(what)
    deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + DEADLINE
    until (result = yield)
      raise "not within #{DEADLINE} s: #{what}" if Process.clock_gettime(Process::CLOCK_MONOTONIC) > deadline

      sleep(0.02)
    end
    result
  end
end
