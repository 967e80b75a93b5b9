# frozen_string_literal: true

require 'fileutils'
require 'openssl'

# A real `puppet agent` without a server: it has certificates, and the catalogue of a manifest in its cache.
class Agent
  NAME = 'web01.example.com'
  ALONE = %w[--use_cached_catalog --no-report --certificate_revocation false --server localhost].freeze

  attr_reader :folder

  # @param manifest [String] text of a manifest
  def initialize(manifest, folder, env)
    @folder = folder
    @env = env.merge('RUBYLIB' => File.join(MODULES, 'trigger/lib'))
    Certificates.new.install(NAME, File.join(folder, 'ssldir'))
    compile(manifest)
  end

  # @return [PuppetRun] that has ended
  def run(*flags)
    start('--onetime', *flags).tap(&:finish)
  end

  # @return [PuppetRun] under way
  def start(*flags)
    PuppetRun.new(folder, ['agent', '--no-daemonize', '--detailed-exitcodes', '--verbose', *ALONE, *flags], @env, finish: false)
  end

  private

  def compile(manifest)
    path = File.join(folder, 'site.pp')
    File.write(path, manifest)
    compiled = PuppetRun.new(folder, ['catalog', 'compile', NAME, '--manifest', path, '--render-as', 'json'], @env)
    cache = File.join(folder, 'vardir/client_data/catalog')
    FileUtils.mkdir_p(cache)
    File.write(File.join(cache, "#{NAME}.json"), compiled.output[/^\{.*/m])
  end
end
