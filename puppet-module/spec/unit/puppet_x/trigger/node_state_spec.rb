# frozen_string_literal: true

require 'spec_helper'
require 'puppet_x/trigger/node_state'

RSpec.describe PuppetX::Trigger::NodeState do
  subject(:state) { described_class.new(program: program).to_h }

  let(:folder) { scratch_dir }
  let(:socket) { File.join(folder, 'sock') }
  let(:spool) { File.join(folder, 'spool') }
  let(:program) { File.join(folder, 'bin', 'triggerd') }
  let(:queue) { { 'name' => 'default', 'slots' => 1, 'paused' => false, 'draining' => false, 'queued' => 3, 'running' => 1, 'deferred' => 2 } }
  # Not lazy: rspec computes one value at a time, and the stub would wait for `state`.
  let!(:health) do
    { 'node' => 'lb01', 'version' => '1.2.3', 'pid' => 7, 'started_at' => '2026-11-20T12:00:00.000Z', 'state_dir' => '/s', 'watching' => true,
      'etcd' => { 'connected' => false, 'endpoints' => ['http://a:1'], 'last_error' => 'x', 'since' => '2026-11-20T12:00:01.000Z' },
      'spool' => { 'waiting' => 4, 'oldest_at' => nil }, 'queues' => [queue] }
  end
  let!(:jobs) do
    [{ 'id' => 9, 'queue' => 'default', 'state' => 'finished', 'result' => 'failed', 'exit_code' => 4, 'command' => 'sh -c secret',
       'finished_at' => '2026-11-20T12:01:00.000Z' },
     { 'id' => 10, 'queue' => 'default', 'state' => 'running', 'finished_at' => nil }]
  end

  before do
    # A busy machine is no daemon that hangs.
    stub_const('PuppetX::Trigger::NodeState::BUDGET', 30)
    write_settings('node' => 'web01', 'socket' => socket, 'spool' => spool)
    FileUtils.mkdir_p([spool, File.dirname(program)])
    File.write(program, '')
    File.write(File.join(folder, 'package.json'), '{"version":"1.0.0"}')
    %w[a.json b.json b.place].each { |name| File.write(File.join(spool, name), '') }
  end

  def write_settings(settings)
    file = File.join(folder, 'client.json')
    File.write(file, settings.is_a?(String) ? settings : JSON.generate(settings))
    allow(PuppetX::Trigger::ClientSettings).to receive(:path).and_return(file)
  end

  it 'has the daemon’s answer without commands and errors' do
    StubDaemon.start(socket) { |request| [200, request.line.include?('health') ? health : jobs] }
    expect(state).to eq(
      'running' => true, 'node' => 'lb01', 'version' => '1.2.3', 'socket' => socket, 'started_at' => '2026-11-20T12:00:00.000Z', 'watching' => true,
      'etcd' => { 'connected' => false, 'since' => '2026-11-20T12:00:01.000Z' }, 'spool' => { 'waiting' => 4 },
      'queues' => { 'default' => { 'queued' => 3, 'running' => 1, 'deferred' => 2, 'paused' => false } },
      'last_job' => { 'id' => 9, 'queue' => 'default', 'state' => 'finished', 'result' => 'failed', 'exit_code' => 4,
                      'finished_at' => '2026-11-20T12:01:00.000Z' }
    )
  end

  it 'has no last job before the first job' do
    StubDaemon.start(socket) { |request| [200, request.line.include?('health') ? health : []] }
    expect(state).to include('running' => true).and(satisfy { |fact| !fact.key?('last_job') })
  end

  context 'when the daemon is down' do
    let(:from_files) { { 'running' => false, 'node' => 'web01', 'version' => '1.0.0', 'socket' => socket, 'spool' => { 'waiting' => 2 } } }

    it('is what the files say') { expect(state).to eq(from_files) }

    it 'reads the files although the socket is still there' do
      UNIXServer.new(socket).close
      expect(state).to eq(from_files)
    end
  end

  it 'does not wait for a daemon that does not answer' do
    stub_const('PuppetX::Trigger::NodeState::BUDGET', 0.2)
    StubDaemon.start(socket) { [:silence] }
    expect(state).to include('node' => 'web01', 'spool' => { 'waiting' => 2 }, 'problem' => /the daemon on #{socket}: /)
    expect(state).not_to include('running')
  end

  it 'keeps the first answer if the second one is missing' do
    stub_const('PuppetX::Trigger::NodeState::BUDGET', 3)
    StubDaemon.start(socket) { |request| request.line.include?('health') ? [200, health] : [:silence] }
    expect(state).to include('running' => true, 'queues' => be_a(Hash), 'problem' => /daemon/)
  end

  [[404, {}], [200, []], [200, 'text'], [200, { 'queues' => 7 }]].each do |answer|
    it "accepts the answer #{answer}" do
      StubDaemon.start(socket) { answer }
      expect(state).to include('node' => 'web01', 'problem' => /daemon/)
    end
  end

  it 'is empty on a node without triggerd' do
    write_settings('socket' => socket, 'spool' => File.join(folder, 'none'))
    FileUtils.rm(program)
    expect(state).to eq('running' => false, 'socket' => socket, 'spool' => { 'waiting' => 0 })
  end

  it 'reports an error in client.json' do
    write_settings('{"nod": 1}')
    expect(state).to include('problem' => /unknown key 'nod'/, 'socket' => '/run/triggerd/triggerd.sock')
  end

  it 'names the node’s Puppet certificate when all its files exist' do
    files = %w[localcacert hostcert hostprivkey].to_h { |name| [name.to_sym, File.join(folder, "#{name}.pem")] }
    files.each { |name, file| allow(Puppet).to receive(:[]).with(name).and_return(file) }
    File.write(files[:localcacert], '')
    expect(described_class.new(program: program).to_h).not_to include('certificate')
    files.each_value { |file| File.write(file, '') }
    expect(described_class.new(program: program).to_h['certificate'])
      .to eq('ca_file' => files[:localcacert], 'cert_file' => files[:hostcert], 'key_file' => files[:hostprivkey])
  end
end
