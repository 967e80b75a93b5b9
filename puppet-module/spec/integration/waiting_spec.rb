# frozen_string_literal: true

require 'spec_helper'
require 'puppet'
require 'securerandom'
require 'puppet_x/trigger/listing'

RSpec.describe 'a trigger that waits' do
  before(:all) { Puppet.initialize_settings unless Puppet.settings.global_defaults_initialized? }

  let(:etcd) { EtcdServer.shared }
  let(:prefix) { "/w#{SecureRandom.hex(4)}" }
  let(:targets) { Targets.new(etcd, prefix) }
  let(:said) { [] }

  before { use_client_json('endpoints' => [etcd.url], 'prefix' => prefix, 'spool' => spool_path, 'node' => 'web01') }

  def trigger(parameters = {})
    Puppet::Type.type(:trigger).new({ name: 't', hosts: %w[lb01 lb02], wait: true, timeout: 300 }.merge(parameters)).tap do |resource|
      %i[info notice warning].each { |level| allow(resource).to receive(level) { |text| said << "#{level}: #{text}" } }
    end
  end

  # @return [Thread] whose value is nil, or the message of the failure
  def refresh(resource = trigger)
    thread = Thread.new do
      resource.refresh
      nil
    rescue Puppet::Error => e
      e.message
    end
    Cleanup.defer { thread.kill.join }
    thread
  end

  def fired
    eventually('the firing') { targets.firing }
  end

  it 'continues when every run has succeeded, in noop too, and logs each result' do
    run = refresh
    id = fired
    targets.say('lb01', { stage: 'running' })
    targets.succeed('lb01', 2)
    targets.say('lb02', { result: 'succeeded', exit_code: 0, details: { puppet: { noop: true, pending: 3 } } })
    expect(run.value).to be_nil
    expect(said).to include(/\Anotice: fired #{id} to 2 nodes/, 'info: lb01 succeeded with exit code 2',
                            'info: lb02 succeeded with exit code 0', /\Anotice: #{id} has finished on 2 nodes after \d+s\z/,
                            "notice: #{id} changed nothing on lb02 (noop, 3 pending)")
  end

  it 'fails when a run fails or is skipped, and names node, exit code, resources or reason' do
    run = refresh(trigger(hosts: %w[lb01 lb02 lb03]))
    id = fired
    failed = (1..7).map { |number| { resource: "File[/#{number}]", message: 'x' } }
    puppet = { failed_resources: failed }
    targets.say('lb01', { result: 'failed', exit_code: 6, reason: 'first error', details: { puppet: puppet } })
    targets.say('lb02', { stage: 'skipped', reason: "cancelled by alice\e[31m\n@web01" })
    targets.succeed('lb03')
    expect(run.value).to eq(
      "#{id} did not succeed on 2 of 3 nodes: lb01 failed with exit code 6 (failed: File[/1], File[/2], File[/3], File[/4], " \
      "File[/5], 2 more); lb02 skipped (cancelled by alice [31m @web01). Run `trigger why #{id}` for details",
    )
  end

  {
    { result: 'killed', signal: 'SIGKILL' } => 'killed by SIGKILL',
    { result: 'timed-out', signal: nil } => 'timed out',
    { result: 'failed-to-start', reason: 'no such plugin' } => 'failed to start (no such plugin)',
    { result: 'interrupted' } => 'interrupted',
  }.each do |values, words|
    it "fails when a run was #{words}" do
      run = refresh(trigger(hosts: 'lb01'))
      fired
      targets.say('lb01', values)
      expect(run.value).to include(" did not succeed on 1 of 1 node: lb01 #{words}. ")
    end
  end

  it 'fails after the timeout, and names each unfinished node with its stage' do
    # What a busy machine does not hear of in three seconds it hears of in more.
    [3, 12, 48].each do |seconds|
      own = "#{prefix}/#{seconds}"
      targets = Targets.new(etcd, own)
      run = refresh(trigger(timeout: seconds, keyprefix: own))
      id = eventually('the firing') { targets.firing }
      targets.say('lb02', { stage: 'deferred', reason: 'the agent is disabled' })
      next if run.value.include?('lb02 still owed') && seconds < 48

      expect(run.value).to eq("#{id} did not succeed on 2 of 2 nodes: lb01 still owed after #{seconds}s; lb02 still deferred (the agent is " \
                              "disabled) after #{seconds}s. The firing continues there. Run `trigger why #{id}` for details")
      break
    end
  end

  it 'names at most ten nodes' do
    expect(refresh(trigger(hosts: SampleFiring.hosts(200), timeout: 1)).value)
      .to match(/on 200 of 200 nodes: node001\.example\.com still owed after 1s; .*node010\.example\.com still owed after 1s; 190 nodes more\. /)
  end

  it 'reads outcomes page by page, and later only the changed ones' do
    stub_const('PuppetX::Trigger::Listing::PAGE', 2)
    hosts = SampleFiring.hosts(5)
    run = refresh(trigger(hosts: hosts))
    fired
    hosts.each { |node| targets.succeed(node) }
    expect(run.value).to be_nil
    expect(said.grep(/succeeded/).size).to eq(5)
  end

  it 'ignores malformed outcomes, and outcomes of nodes that are not in hosts' do
    run = refresh(trigger(hosts: 'lb01'))
    id = fired
    etcd.etcdctl('put', "#{prefix}/v1/outcomes/#{id}/lb01", 'nonsense')
    targets.say('lb99', { result: 'failed', exit_code: 1 })
    targets.succeed('lb01')
    expect(run.value).to be_nil
  end

  it 'survives a compaction of etcd' do
    run = refresh
    fired
    targets.succeed('lb01')
    revision = JSON.parse(etcd.etcdctl('get', prefix, '-w', 'json'))['header']['revision']
    etcd.etcdctl('compact', revision.to_s)
    targets.succeed('lb02')
    expect(run.value).to be_nil
  end

  describe 'when etcd stops' do
    let(:etcd) { EtcdServer.start }

    after { etcd.stop }

    it 'retries, warns once, and reads the outcomes when etcd is back' do
      run = refresh
      fired
      targets.succeed('lb01')
      etcd.stop
      eventually('the warning') { said.grep(/\Awarning: cannot read the outcomes of \w{26}, retrying: #{etcd.url}: connection refused/).any? }
      etcd.start
      targets.succeed('lb02')
      expect(run.value).to be_nil
      expect(said.grep(/warning/).size).to eq(1)
    end

    it 'publishes as soon as etcd starts, if etcd was down at first' do
      etcd.stop
      run = refresh
      eventually('the firing in the spool') { spooled.any? }
      etcd.start
      fired
      %w[lb01 lb02].each { |node| targets.succeed(node) }
      expect(run.value).to be_nil
      expect(said.first).to match(/\Awarning: could not fire \w{26} to 2 nodes \(lb01, lb02\) yet: .*The firing is stored in/)
      expect(spooled).to be_empty
    end

    it 'names the problem after the timeout' do
      etcd.stop
      expect(refresh(trigger(timeout: 2)).value)
        .to match(/on 2 of 2 nodes: lb01 still owed after 2s; lb02 still owed after 2s \(#{etcd.url}: connection refused\. Check /)
      expect(spooled.size).to eq(1)
    end
  end

  it 'fails at once when etcd permits writing but not reading' do
    refusing = StubServer.start do |request|
      request.path == '/v3/kv/txn' ? [200, '{"succeeded":true}'] : [403, '{"error":"etcdserver: permission denied"}']
    end
    expect(refresh(trigger(endpoints: refusing.url)).value).to match(/could not follow \w{26} to 2 nodes.*permission denied.*Grant/)
  end

  describe 'for a node that waits for this run' do
    def context(values)
      Cleanup.defer { ENV.delete('TRIGGERD_CONTEXT') }
      ENV['TRIGGERD_CONTEXT'] = client_json(JSON.generate({ format: 1, ttl: 3 }.merge(values)))
    end

    let(:link) { { firing: '01K9ZQ4T5M8W3V6X7Y8Z9A0BCD', node: 'lb02', trigger: 'a' } }

    it 'refuses this node in any spelling, and fires nothing' do
      expect(refresh(trigger(hosts: %w[lb01 WEB01])).value)
        .to eq('could not fire to 2 nodes (lb01, web01): waiting would never end: web01 is this node. Remove `wait`, or remove these nodes from `hosts`')
      expect([targets.firing, spooled]).to eq([nil, []])
    end

    it 'refuses a node of the chain, and the node whose Puppet run started the chain' do
      context(chain: [link], firings: [{ origin: { kind: 'puppet', node: 'lb01' } }, { origin: { kind: 'cli', node: 'lb03' } }, 1, {}])
      expect(refresh(trigger(hosts: %w[lb01 lb02 lb03])).value).to include('never end: lb01 is in the chain that led to this run, lb02 is in the chain')
      expect(targets.firing).to be_nil
    end

    it 'fires to these nodes without wait' do
      context(chain: [link])
      expect(refresh(trigger(wait: false)).value).to be_nil
      expect(targets.firing).not_to be_nil
    end
  end

  describe 'in a real run of Puppet' do
    let(:manifest) { "notify { 'x': notify => Trigger['t'] } trigger { 't': hosts => 'lb01', wait => true, timeout => '1m' } -> notify { 'after': }" }
    let(:env) { { 'TRIGGERD_CLIENT_JSON' => ENV.fetch('TRIGGERD_CLIENT_JSON') } }

    it 'fails when the other run failed, and Puppet skips the dependent resources' do
      run = Thread.new { PuppetRun.apply(manifest, env: env) }
      fired
      targets.say('lb01', { result: 'failed', exit_code: 4 })
      expect(run.value.exit_code).to eq(6), run.value.output
      expect(run.value.output).to match(/Trigger\[t\]: Failed to call refresh: \w{26} did not succeed on 1 of 1 node: lb01 failed with exit code 4\. /)
        .and include('Skipping because of failed dependencies')
      expect(run.value.output).not_to match(%r{Traceback|trigger/\S*\.rb:\d+})
    end

    it 'does not wait with --noop' do
      run = PuppetRun.apply(manifest, '--noop', env: env)
      expect([run.exit_code, targets.firing]).to eq([0, nil]), run.output
      expect(run.output).to include('Trigger[t]: would have triggered 1 node (lb01)')
    end

    %w[INT TERM].each do |signal|
      it "stops waiting at once on #{signal}, logs that, and leaves the firing" do
        run = PuppetRun.start(manifest.sub("'lb01'", "['lb01', 'lb02']"), '--verbose', env: env)
        fired
        targets.succeed('lb01')
        # The firing is in etcd before Puppet waits for it.
        run.read_until(/Trigger\[t\]: lb01 succeeded/)
        run.signal(signal)
        run.finish
        expect(run.output).to match(/no longer waiting for #{targets.firing}; it continues/)
        expect(run.exit_code).not_to eq(0)
        expect(spooled).to be_empty
      end
    end
  end
end
