# frozen_string_literal: true

require 'English'
require 'json'
require 'net/http'
require 'openssl'
require 'socket'
require 'tmpdir'

# A real etcd on free loopback ports, with its data in a temporary folder.
class EtcdServer
  DEADLINE = 120
  # None that the kernel gives to whoever asks for any (32768 and up): somebody could be given it while the server is down.
  PORTS = (6_000..9_999).freeze
  # Its own limits are too short for a busy machine.
  PATIENT = %w[--command-timeout 60s --dial-timeout 60s].freeze
  @servers = []
  @next_port = rand(PORTS.size)

  # One plain etcd serves all examples; each uses a prefix of its own.
  def self.shared
    @shared ||= start
  end

  def self.start(**options)
    new(**options).tap { |server| @servers << server }
  end

  def self.stop_all
    @servers.each(&:stop)
    @servers.clear
    @shared = nil
  end

  def self.free_port
    loop do
      port = PORTS.first + ((@next_port += 1) % PORTS.size)
      return TCPServer.open('127.0.0.1', port) { port }
    rescue Errno::EADDRINUSE
      # The next one, then.
    end
  end

  attr_reader :url

  # @param certificates [Certificates, nil] for https with client certificates
  # @param server [String] which of the certificates is the server's
  # @param flags [Array<String>] further flags
  def initialize(certificates: nil, server: 'server', flags: [])
    @certificates = certificates
    @server = server
    @url = "#{certificates ? 'https' : 'http'}://127.0.0.1:#{self.class.free_port}"
    @folder = Dir.mktmpdir('etcd-', SCRATCH)
    @command = ['etcd', *arguments, *flags]
    start
  end

  # Starts it, also again, on its ports and with its data.
  def start
    @pid = Process.spawn(*@command, out: log, err: log)
    wait_until_ready
  end

  # @return [Hash{String => Hash}] documents below a prefix, by key
  def documents(prefix)
    keys(prefix).transform_values { |value| JSON.parse(value) }
  end

  def keys(prefix)
    output = etcdctl('get', '--prefix', prefix, '-w', 'json')
    pairs = JSON.parse(output)['kvs'] || []
    pairs.to_h { |pair| [pair['key'].unpack1('m'), pair['value'].unpack1('m').force_encoding('UTF-8')] }
  end

  def etcdctl(*words)
    output = IO.popen({ 'ETCDCTL_API' => '3' }, ['etcdctl', *PATIENT, '--endpoints', url, *tls_flags, *words, { err: %i[child out] }], &:read)
    raise "etcdctl #{words.first(2).join(' ')}: #{output}" unless $CHILD_STATUS.success?

    output
  end

  def running?
    !@pid.nil?
  end

  def stop
    return unless @pid

    Process.kill(:KILL, @pid)
    Process.wait(@pid)
    @pid = nil
  end

  private

  def log
    File.join(@folder, 'log')
  end

  def arguments
    peer = "http://127.0.0.1:#{self.class.free_port}"
    ['--data-dir', File.join(@folder, 'data'), '--listen-client-urls', url, '--advertise-client-urls', url,
     '--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', "default=#{peer}",
     *server_tls_flags]
  end

  def server_tls_flags
    return [] unless @certificates

    ['--cert-file', @certificates.path("#{@server}.crt"), '--key-file', @certificates.path("#{@server}.key"),
     '--trusted-ca-file', @certificates.path('ca.crt'), '--client-cert-auth']
  end

  def tls_flags
    return [] unless @certificates

    ['--cacert', @certificates.path('ca.crt'), '--cert', @certificates.path('client.crt'),
     '--key', @certificates.path('client.key'), *trust]
  end

  # etcdctl does not refuse a server whose certificate is the matter of an example.
  def trust
    @server == 'server' ? [] : ['--insecure-skip-tls-verify']
  end

  def wait_until_ready
    deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + DEADLINE
    until ready?
      raise "etcd ended: #{File.read(log)}" if Process.wait(@pid, Process::WNOHANG)
      raise "etcd is not ready after #{DEADLINE} s" if Process.clock_gettime(Process::CLOCK_MONOTONIC) > deadline

      Thread.pass
    end
  end

  def ready?
    etcdctl('endpoint', 'health', '--dial-timeout', '1s', '--command-timeout', '5s').include?('is healthy')
  rescue RuntimeError
    false
  end
end
