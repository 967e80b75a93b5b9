# frozen_string_literal: true

require 'spec_helper'
require 'securerandom'

# The manifests that people copy, applied as they are.
RSpec.describe 'the example', :acceptance do
  let(:etcd) { EtcdServer.shared }
  let(:prefix) { "/x#{SecureRandom.hex(4)}" }
  let(:targets) { Targets.new(etcd, prefix) }
  let(:env) { { 'TRIGGERD_CLIENT_JSON' => client_json(endpoints: [etcd.url], prefix: prefix) } }

  def apply(name)
    PuppetRun.apply(File.read(File.expand_path("../../examples/#{name}.pp", __dir__)), env: env)
  end

  it 'etcd-test.pp fires once to two load balancers' do
    FileUtils.rm_f('/tmp/foo')
    Cleanup.defer { FileUtils.rm_f('/tmp/foo') }
    first = apply('etcd-test')
    expect(first.output).to match(/fired \w{26} to 2 nodes \(lb01\.example\.com, lb02\.example\.com\)/)
    expect([first.exit_code, apply('etcd-test').exit_code]).to eq([2, 0])
    expect(etcd.keys("#{prefix}/v1/firings").size).to eq(1)
  end

  it 'wait.pp continues when both databases are ready' do
    run = Thread.new { apply('wait') }
    eventually('the firing') { targets.firing }
    %w[db01.example.com db02.example.com].each { |node| targets.succeed(node, 2) }
    expect(run.value.exit_code).to eq(2), run.value.output
    expect(run.value.output).to match(/has finished on 2 nodes after.*the databases are ready/m)
  end

  it 'finished.pp fires after all other resources' do
    run = apply('finished')
    expect(run.exit_code).to eq(2), run.output
    expect(run.output).to match(/Applied catalog.*fired \w{26} to 2 nodes/m)
  end
end
