# frozen_string_literal: true

# What an example has started is stopped after it, last thing first.
module Cleanup
  @actions = []

  def self.defer(&action)
    @actions << action
  end

  def self.run
    @actions.pop.call until @actions.empty?
  end
end
