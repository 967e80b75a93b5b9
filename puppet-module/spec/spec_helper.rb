# frozen_string_literal: true

require 'fileutils'
require 'json'
require 'tmpdir'
require 'rspec-puppet'

$LOAD_PATH.unshift(File.expand_path('../lib', __dir__))

Dir[File.join(__dir__, 'support', '*.rb')].sort.each { |file| require file }

# Puppet finds modules by the name of their folder, and ours is called puppet-module in the checkout.
SCRATCH = Dir.mktmpdir('trigger-spec-')
MODULES = File.join(SCRATCH, 'modules')
FileUtils.mkdir_p(MODULES)
File.symlink(File.expand_path('..', __dir__), File.join(MODULES, 'trigger'))

# No spec may meet the settings or the etcd of the machine it runs on.
ENV.delete('TRIGGERD_CONTEXT')
ENV['TRIGGERD_CLIENT_JSON'] = File.join(SCRATCH, 'client.json')
File.write(ENV.fetch('TRIGGERD_CLIENT_JSON'), JSON.generate(endpoints: ['http://127.0.0.1:1'], spool: File.join(SCRATCH, 'spool')))

RSpec.configure do |config|
  config.module_path = MODULES
  config.confdir = File.join(SCRATCH, 'confdir')
  config.strict_variables = true
  config.setup_fixtures = false
  config.mock_with :rspec
  config.expect_with(:rspec) { |expectations| expectations.syntax = :expect }
  config.disable_monkey_patching!
  config.order = :random
  # Many runs of Puppet: `rspec --tag acceptance`, or `npm run acceptance`.
  config.filter_run_excluding :acceptance
  Kernel.srand config.seed

  config.include Eventually
  config.include Fixtures
  config.include Settings
  config.include Spooled
  config.before { Puppet[:strict] = :error }
  config.after { Cleanup.run }
  config.after(:suite) do
    EtcdServer.stop_all
    FileUtils.remove_entry(SCRATCH)
  end
end
