# frozen_string_literal: true

require 'spec_helper'
require 'puppet/reports'
require 'puppet_x/trigger/client_settings'
require 'puppet_x/trigger/control_socket'

RSpec.describe 'the report processor trigger' do
  let(:path) { File.join(scratch_dir, 'sock') }
  let(:report) do
    Puppet::Transaction::Report.new('c1', 'production', 'a-uuid').extend(Puppet::Reports.report(:trigger)).tap(&:finalize_report)
  end

  before { allow(PuppetX::Trigger::ClientSettings).to receive(:load).and_return(instance_double(PuppetX::Trigger::ClientSettings, socket: path)) }

  it 'tells the daemon of this node what ran, and whether the run was complete' do
    daemon = StubDaemon.start(path) { [200, { satisfied: [] }] }
    report.process
    request = daemon.requests.first
    document = JSON.parse(request.body)
    expect(request.line).to eq('POST /v1/runs HTTP/1.1')
    expect(document).to include('transaction_uuid' => 'a-uuid', 'noop' => false, 'completed' => false, 'cwd' => Dir.pwd)
    expect(document['started_at']).to match(/\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\z/)
    expect(document['argv'].join(' ')).to include('rspec')
  end

  it 'gives a start time before the manifest was read' do
    daemon = StubDaemon.start(path) { [200, { satisfied: [] }] }
    report.process
    began = Time.parse(JSON.parse(daemon.requests.first.body)['started_at'])
    expect(began).to be_within(1.5).of(Time.now - Integer(`ps -o etimes= -p #{Process.pid}`, 10))
  end

  it 'never fails a run, without a daemon or with an older one' do
    expect { report.process }.not_to raise_error
    StubDaemon.start(path) { [404, {}] }
    expect { report.process }.not_to raise_error
  end

  it 'ignores jobs of the daemon, and runs on a Puppet server' do
    daemon = StubDaemon.start(path) { [200, {}] }
    ENV['TRIGGERD_CONTEXT'] = '/x'
    report.process
    ENV.delete('TRIGGERD_CONTEXT')
    allow(Puppet.run_mode).to receive(:server?).and_return(true)
    report.process
    expect(daemon.requests).to be_empty
  ensure
    ENV.delete('TRIGGERD_CONTEXT')
  end
end
