# frozen_string_literal: true

# Debian's Puppet, loaded once and forked for each call of client.rb: most of what a short run costs is loading. A run is Puppet's
# own code from its first line (settings, environment, catalogue) in a process of its own; nothing of one run is there in the next.
#
# ruby server.rb SOCKET ROOM: says that it listens there, and ends when its standard input does. It loads Puppet for the first
# client. In the place of ROOM, any text, the words of a run are shown by the kernel.
#
# A client sends its three standard streams, then a line of JSON: argv, env, folder, umask, encoding. Further lines are signals
# for the run. The answer is a line: the exit status, or the signal that ended it with a minus. A client that is gone takes its
# run along.
require 'json'
require 'socket'

# Puppet's autoloader appends to $LOADED_FEATURES. Ruby before 3.3 then throws its index of features away, and looks up the real
# path of each of a thousand files at the next `require`: 700,000 system calls in an empty run. `require` appends, too, but keeps
# the index. So what was never loaded is required instead of loaded.
module QuickAutoload
  def load_file(name, env)
    file = get_file(name.to_s, env)
    path = file && File.expand_path(file)
    return super if path.nil? || $LOADED_FEATURES.include?(path)

    begin
      loaded[cleanpath(name.to_s).chomp('.rb')] = [path, File.mtime(path)]
      require(path)
      true
    rescue SystemExit, NoMemoryError
      raise
    rescue Exception => e # rubocop:disable Lint/RescueException
      message = "Could not autoload #{name}: #{e}"
      Puppet.log_exception(e, message)
      raise Puppet::Error, message, e.backtrace
    end
  end
end

# What nearly every run loads. Settings, facts and what is suitable here are found by each run.
module Preload
  APPLICATIONS = %w[agent apply catalog config resource].freeze
  TYPES = %i[component exec file filebucket group notify package schedule service stage user whit].freeze

  def self.all
    %w[facter ffi puppet/util/command_line puppet/face].each { |name| require name }
    APPLICATIONS.each { |name| require "puppet/application/#{name}" }
    Puppet::Util::Autoload.singleton_class.prepend(QuickAutoload)
    nowhere = Puppet::Node::Environment.create(:nowhere, [])
    Puppet.override(current_environment: nowhere) { TYPES.each { |name| Puppet::Type.type(name) } }
    GC.start
  end
end

# One call: this process waits for the run, beside it.
class Call
  # @param client [UNIXSocket]
  def initialize(client)
    @client = client
    @streams = Array.new(3) { client.recv_io }
    @words = JSON.parse(client.gets)
  end

  def serve
    pid = fork { run }
    @streams.each(&:close)
    Thread.new { obey(pid) }
    status = Process.wait2(pid).last
    @client.puts(status.exited? ? status.exitstatus : -status.termsig)
  end

  private

  def obey(pid)
    while (line = @client.gets)
      Process.kill(line.chomp, pid)
    end
    Process.kill('KILL', -pid)
  rescue Errno::ESRCH
    # It has ended, and its status is on its way.
  end

  def run
    @client.close
    Process.setsid
    [$stdin, $stdout, $stderr].zip(@streams) { |own, theirs| own.reopen(theirs) }
    @streams.each(&:close)
    take_place
    # A short run ends before it needs what it has thrown away.
    GC.disable
    $PROGRAM_NAME = '/usr/bin/puppet'
    name_as(['/usr/bin/ruby', '/usr/bin/puppet', *ARGV])
    load '/usr/bin/puppet'
  end

  # The report processor reads the words of a run there, and triggerd the name of who holds a lock.
  def name_as(words)
    File.write('/proc/self/comm', 'puppet')
    room = File.binread('/proc/self/cmdline').bytesize
    start = Integer(File.read('/proc/self/stat').split[47])
    File.open('/proc/self/mem', 'r+b') do |memory|
      memory.seek(start)
      memory.write(words.join("\0").b.ljust(room, "\0").byteslice(0, room))
    end
  end

  def take_place
    File.umask(@words['umask'])
    Dir.chdir(@words['folder'])
    ENV.replace(@words['env'])
    Encoding.default_external = @words['encoding']
    $LOAD_PATH.unshift(*ENV.fetch('RUBYLIB', '').split(':'))
    ARGV.replace(@words['argv'])
  end
end

server = UNIXServer.new(ARGV.fetch(0))
puts 'listening'
$stdout.flush
Thread.new { $stdin.read && exit!(0) }
is_loaded = false
loop do
  client = server.accept
  Preload.all unless is_loaded
  is_loaded = true
  pid = fork do
    server.close
    Call.new(client).serve
  rescue SystemCallError, IOError, TypeError
    # The client was killed.
  ensure
    exit!(0)
  end
  Process.detach(pid)
  client.close
end
