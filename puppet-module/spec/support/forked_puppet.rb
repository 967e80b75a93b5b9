# frozen_string_literal: true

require 'rbconfig'

# Debian's Puppet, forked from a process that has loaded it. Its server and client are the whole suite's.
module ForkedPuppet
  FOLDER = File.expand_path('../../../spec/support/puppet', __dir__)
  # What stands in the place of `puppet` in a command.
  COMMAND = [RbConfig.ruby, '--disable=gems,did_you_mean,error_highlight', File.join(FOLDER, 'client.rb')].freeze
  SERVER = 'TRIGGERD_SPEC_PUPPET'
  # That of the whole suite. rspec-puppet puts ENV back after an example.
  @socket = ENV.fetch(SERVER, nil)

  # @return [Hash{String => String}] what the command needs
  def self.environment
    { SERVER => @socket ||= start }
  end

  # @return [String] the socket of a server that ends when this process does
  def self.start
    socket = File.join(SCRATCH, 'puppets')
    lines, said = IO.pipe
    ends, @lives = IO.pipe
    Process.detach(Process.spawn(RbConfig.ruby, File.join(FOLDER, 'server.rb'), socket, '-' * 16_384, in: ends, out: said))
    [ends, said].each(&:close)
    lines.gets
    socket
  end
  private_class_method :start
end
