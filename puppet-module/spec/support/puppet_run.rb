# frozen_string_literal: true

require 'English'

# Real runs of `puppet`, with folders of their own.
class PuppetRun
  # What is only warned of by default is an error here.
  STRICT = %w[--strict error --strict_variables].freeze
  NAME = 'web01.example.com'
  # Two fifths of a run of Puppet are Facter's. What declares a class needs the facts of this machine, all else these.
  FACTS = File.expand_path('../../../spec/fixtures/puppet/facts.yaml', __dir__)

  attr_reader :output, :exit_code

  # @param manifest [String] text of a manifest
  # @param flags [Array<String>] for `puppet apply`
  # @param env [Hash] for the process
  def self.apply(manifest, *flags, folder: Dir.mktmpdir('run-', SCRATCH), env: {})
    path = File.join(folder, 'site.pp')
    File.write(path, manifest)
    new(folder, ['apply', '--detailed-exitcodes', *facts(manifest, folder), *flags, path], env)
  end

  # One that is still under way, to be ended with `finish`.
  def self.start(manifest, *flags, folder: Dir.mktmpdir('run-', SCRATCH), env: {})
    path = File.join(folder, 'site.pp')
    File.write(path, manifest)
    new(folder, ['apply', '--detailed-exitcodes', *facts(manifest, folder), *flags, path], env, finish: false)
  end

  def self.resource(*words, folder: Dir.mktmpdir('run-', SCRATCH))
    new(folder, ['resource', *words], {})
  end

  # @return [Array<String>] flags that let Puppet read its facts from a file, where the manifest declares no class
  def self.facts(manifest, folder)
    return [] if manifest.match?(/\b(?:class|include|contain)\b/)

    cached = File.join(folder, 'vardir/client_yaml/facts')
    FileUtils.mkdir_p(cached)
    File.write(File.join(cached, "#{NAME}.yaml"), File.read(FACTS).gsub('NODE', NAME))
    %w[--facts_terminus yaml]
  end
  private_class_method :facts

  def initialize(folder, words, env, finish: true)
    @output = +''
    command = [*ForkedPuppet::COMMAND, *words, '--color', 'false', '--modulepath', MODULES, '--certname', NAME, *STRICT]
    # Debian's ssldir is one folder for all, with a lock in it.
    %w[confdir vardir publicdir rundir logdir ssldir].each { |name| command.push("--#{name}", File.join(folder, name)) }
    @pipe = IO.popen(env.merge(ForkedPuppet.environment), command, err: %i[child out], external_encoding: 'UTF-8')
    finish ? self.finish : Cleanup.defer { stop }
  end

  def signal(name)
    Process.kill(name, @pipe.pid)
  end

  # Reads on until it has said this; what it has said stays in its output.
  def read_until(pattern)
    @output << (@pipe.gets || raise("ended without #{pattern}: #{@output}")) until @output.match?(pattern)
  end

  # Waits for its end.
  def finish
    @output << @pipe.read
    @pipe.close
    @exit_code = $CHILD_STATUS.exitstatus
  end

  # What an example that failed has left behind.
  def stop
    return if @pipe.closed?

    signal('KILL')
    @pipe.close
  end
end
