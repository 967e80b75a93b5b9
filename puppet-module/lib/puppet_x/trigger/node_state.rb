# frozen_string_literal: true

require 'json'
require 'timeout'
require_relative 'client_settings'
require_relative 'control_socket'

# The daemon's state for the fact `trigger`, without secrets, commands and waits.
class PuppetX::Trigger::NodeState
  # Facts are resolved before every run, so a daemon that hangs must not delay them. Seconds, for all requests together.
  BUDGET = 0.2
  PROGRAM = '/usr/bin/triggerd'
  QUEUE_KEYS = %w[queued running deferred paused].freeze
  JOB_KEYS = %w[id queue state result exit_code finished_at].freeze
  # Errors that mean that the daemon is down. After any other error its state is unknown.
  DOWN = [Errno::ENOENT, Errno::ECONNREFUSED].freeze
  # The newest ended job, without its command; what runs at the moment comes with it.
  LAST_JOB = '/v1/jobs?ended=1&queued=0&command=0'

  # @param program [String] where the daemon's executable is
  def initialize(program: PROGRAM)
    @program = program
  end

  # @return [Hash{String => Object}] keys without a value are left out
  def to_h
    settings, problem = read_settings
    said = ask(settings.socket)
    {
      'node' => settings.node,
      'version' => version,
      'socket' => settings.socket,
      'spool' => { 'waiting' => spooled(settings.spool) }.compact,
      'certificate' => certificate,
      'problem' => problem,
    }.merge(said).compact
  end

  private

  def read_settings
    [PuppetX::Trigger::ClientSettings.load, nil]
  rescue PuppetX::Trigger::SettingsError => e
    [PuppetX::Trigger::ClientSettings.new('the defaults', {}), e.message]
  end

  def ask(socket)
    said = {}
    Timeout.timeout(BUDGET) do
      PuppetX::Trigger::ControlSocket::Connection.to(socket, BUDGET, BUDGET).start do |http|
        said = described(document(http.get('/v1/health')))
        said = said.merge(last_job(document(http.get(LAST_JOB))))
      end
    end
    said
  rescue *DOWN
    { 'running' => false }
  rescue *PuppetX::Trigger::ControlSocket::NETWORK_ERRORS, JSON::ParserError, NoMethodError, TypeError => e
    # The first request may have been answered in time.
    said.merge('problem' => "the daemon on #{socket}: #{e.message}")
  end

  def document(response)
    raise IOError, "HTTP #{response.code}" unless response.code == '200'

    JSON.parse(response.body)
  end

  def described(health)
    {
      'running' => true,
      'node' => health['node'],
      'version' => health['version'],
      'started_at' => health['started_at'],
      'watching' => health['watching'],
      'etcd' => { 'connected' => health['etcd']['connected'], 'since' => health['etcd']['since'] },
      'spool' => health['spool'].compact,
      'queues' => health['queues'].to_h { |queue| [queue['name'], queue.slice(*QUEUE_KEYS)] },
    }.compact
  end

  def last_job(jobs)
    job = jobs.find { |each| each['finished_at'] }
    job ? { 'last_job' => job.slice(*JOB_KEYS).compact } : {}
  end

  # The executable is in bin/ of an installation, with package.json above it.
  def version
    JSON.parse(File.read(File.join(File.dirname(File.realpath(@program), 2), 'package.json')))['version']
  rescue SystemCallError, JSON::ParserError
    nil
  end

  def spooled(folder)
    Dir.each_child(folder).count { |name| name.end_with?('.json') }
  rescue Errno::ENOENT
    0
  rescue SystemCallError
    nil
  end

  # Where this node's certificate from Puppet's authority is, once it has one.
  def certificate
    return unless defined?(Puppet) && Puppet.respond_to?(:[])

    files = { 'ca_file' => Puppet[:localcacert], 'cert_file' => Puppet[:hostcert], 'key_file' => Puppet[:hostprivkey] }
    files if files.values.all? { |file| File.file?(file) }
  end
end
