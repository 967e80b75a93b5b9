# frozen_string_literal: true

# `puppet` for tests: as /usr/bin/puppet, in a process that server.rb forks. Without the server it is Debian's.
require 'json'
require 'socket'

begin
  server = UNIXSocket.new(ENV.fetch('TRIGGERD_SPEC_PUPPET', '/nowhere'))
rescue Errno::ENOENT, Errno::ECONNREFUSED
  exec('/usr/bin/puppet', *ARGV)
end

[$stdin, $stdout, $stderr].each { |stream| server.send_io(stream) }
%w[TERM INT HUP QUIT USR1 USR2].each { |name| trap(name) { server.puts(name) } }
words = { argv: ARGV, env: ENV.to_h, folder: Dir.pwd, umask: File.umask, encoding: Encoding.default_external.name }
server.puts(JSON.generate(words))
status = Integer(server.gets || abort('the server of Puppet has gone'))
exit!(status) unless status.negative?

trap(-status, 'DEFAULT') unless status == -Signal.list.fetch('KILL')
Process.kill(-status, Process.pid)
