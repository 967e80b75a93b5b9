# frozen_string_literal: true

require 'spec_helper'
require 'securerandom'
require 'puppet_x/trigger/delivery'
require 'puppet_x/trigger/drain'
require 'puppet_x/trigger/gateway'
require 'puppet_x/trigger/keys'
require 'puppet_x/trigger/publication'
require 'puppet_x/trigger/spool'

RSpec.describe 'the spool, with real runs of Puppet and a real etcd' do
  let(:prefix) { "/s#{SecureRandom.hex(4)}" }
  let(:notified) { "notify { 'x': notify => Trigger['t'] } trigger { 't': hosts => 'lb01' }" }
  let(:declared) { "trigger { 'other': hosts => 'lb01' }" }
  let(:folder) { scratch_dir }

  # One etcd that each example may stop.
  before(:all) { @etcd = EtcdServer.start }
  after(:all) { @etcd.stop }
  before { @etcd.start unless @etcd.running? }

  def apply(manifest, *flags, endpoints: [@etcd.url], **settings)
    values = { endpoints: endpoints, prefix: prefix, spool: spool_path }.merge(settings)
    PuppetRun.apply(manifest, *flags, folder: folder, env: { 'TRIGGERD_CLIENT_JSON' => client_json(values) })
  end

  def firings
    @etcd.documents("#{prefix}/v1/firings").values
  end

  def inboxes
    @etcd.keys("#{prefix}/v1/inbox").keys
  end

  it 'keeps a firing while etcd is down, and the next run delivers it exactly once' do
    @etcd.stop
    run = apply(notified)
    expect(run.exit_code).to eq(2), run.output
    expect(run.output).to match(%r{Warning: /Stage\[main\]/Main/Trigger\[t\]: could not fire \w{26} to 1 node \(lb01\) yet: .*connection refused})
      .and include("The firing is stored in #{spool_path}; the daemon triggerd, or the next Puppet run with a trigger, delivers it")
    kept = File.read(File.join(spool_path, spooled.first))
    again = apply(declared)
    expect([again.exit_code, spooled.size]).to eq([0, 1]), again.output
    expect(again.output).to match(/Warning: Trigger: 1 firing wait/)

    @etcd.start
    expect(apply(declared, '--noop').output).not_to include('delivered')
    expect([spooled.size, firings]).to eq([1, []])
    last = apply(declared)
    expect([last.exit_code, spooled]).to eq([0, []]), last.output
    expect(last.output).to include('Notice: Trigger: delivered 1 firing left in the spool')
    expect(@etcd.keys("#{prefix}/v1/firings").values).to eq([kept])
    expect(inboxes.size).to eq(1)
  end

  # What is left of a run that was killed goes out with the next one.
  def expect_delivery_by_the_next_run
    expect(spooled).to contain_exactly(/\A\w{26}\.json\z/)
    @etcd.start unless @etcd.running?
    expect(apply(declared).output).to include('delivered 1 firing left in the spool')
    expect([firings.map { |firing| firing['trigger'] }, inboxes.size, spooled]).to eq([['t'], 1, []])
  end

  it 'loses nothing when Puppet is killed right after the refresh' do
    @etcd.stop
    run = apply("#{notified} exec { '/bin/sh -c \"kill -KILL $PPID\"': require => Trigger['t'] } -> file { '#{folder}/after': ensure => file }")
    expect([run.exit_code, File.exist?("#{folder}/after")]).to eq([nil, false]), run.output
    expect_delivery_by_the_next_run
  end

  it 'loses nothing when Puppet is killed in the middle of the refresh' do
    pid = "#{folder}/pid"
    silent = StubServer.start { Process.kill(:KILL, File.read(pid).to_i) && :silence }
    manifest = "exec { '/bin/sh -c \"echo $PPID > #{pid}\"': notify => Trigger['t'] } trigger { 't': hosts => 'lb01' }"
    expect(apply(manifest, endpoints: [silent.url]).exit_code).to be_nil
    expect(silent.requests.size).to eq(1)
    expect_delivery_by_the_next_run
  end

  it 'delivers a firing to the etcd and the prefix that its manifest named' do
    @etcd.stop
    apply("notify { 'x': notify => Trigger['t'] } trigger { 't': hosts => 'lb01', keyprefix => '#{prefix}/own', endpoints => '#{@etcd.url}' }",
          endpoints: ['http://127.0.0.1:1'])
    expect(spooled).to contain_exactly(/json\z/, /place\z/)
    @etcd.start
    apply(declared, endpoints: ['http://127.0.0.1:1'])
    expect([@etcd.keys("#{prefix}/own/v1/firings").size, firings, spooled]).to eq([1, [], []])
  end

  {
    'a symbolic link' => ->(path, _) { File.symlink(Dir.mktmpdir('planted-', SCRATCH), path) },
    'on a full disk' => lambda { |path, example|
      example.skip 'only root can mount' unless Process.uid.zero?
      example.mount_small(path, size: '4k')
      File.write(File.join(path, 'ballast'), 'x' * 4096)
    },
  }.each do |what, plant|
    it "is #{what}: the trigger warns and fires, and fails without etcd" do
      plant.call(spool_path, self)
      before = spooled
      run = apply(notified)
      expect([run.exit_code, firings.size]).to eq([2, 1]), run.output
      expect(run.output).to match(/Warning: .*Trigger\[t\]: .*the spool #{spool_path}.*\. .*a firing that etcd does not accept at once is lost/)
      alone = apply(notified, endpoints: ['http://127.0.0.1:1'])
      expect(alone.exit_code).to eq(6), alone.output
      expect(alone.output).to match(/Error: .*connection refused.*The firing is not in the spool either: .*the spool #{spool_path}/)
      expect(spooled).to eq(before)
    end
  end

  describe 'with publishers that are killed or run in parallel' do
    # Before the first fork, which would have its own.
    let!(:spool) { PuppetX::Trigger::Spool.new(spool_path) }
    let!(:keys) { PuppetX::Trigger::Keys.new(prefix) }

    def gateway
      PuppetX::Trigger::Gateway.new([PuppetX::Trigger::Endpoint.new(@etcd.url)])
    end

    def drain(through: gateway)
      PuppetX::Trigger::Drain.new(spool) { |firing, _| PuppetX::Trigger::Publication.new(through, keys, firing).publish }.tap(&:run)
    end

    def expected(firings)
      firings.flat_map do |firing|
        list = firing.targets.size > 126 ? [keys.targets(firing.id)] : []
        [keys.firing(firing.id), *list, *firing.targets.map { |node| keys.inbox(node, firing.id) }]
      end
    end

    # Ends its process before one of its transactions, or after the last one.
    def dying(survived)
      real = gateway
      Class.new do
        define_method(:commit) do |transaction|
          Process.kill(:KILL, Process.pid) if (survived -= 1).negative?
          real.commit(transaction)
        end
      end.new
    end

    # A firing to 250 nodes takes 6 transactions.
    7.times do |survived|
      it "delivers a firing once after its publisher was killed after #{survived} of 6 transactions" do
        firing = SampleFiring.to(SampleFiring.hosts(250))
        pid = fork do
          PuppetX::Trigger::Delivery.new(spool, firing).run do
            PuppetX::Trigger::Publication.new(dying(survived), keys, firing).publish
            Process.kill(:KILL, Process.pid)
          end
        end
        expect(Process.wait2(pid).last.termsig).to eq(Signal.list['KILL'])
        expect(spooled).to eq(["#{firing.id}.json"])
        expect(drain.delivered).to eq(1)
        expect(@etcd.keys(prefix).keys).to match_array(expected([firing]))
        expect(spooled).to be_empty
      end
    end

    it 'delivers each firing once when four processes drain at the same time' do
      firings = Array.new(24) { |index| leave_in_spool(SampleFiring.to(SampleFiring.hosts(((index % 3) * 120) + 1))) }
      pids = Array.new(4) { fork { exit!(drain.problem.nil?) } }
      expect(pids.map { |pid| Process.wait2(pid).last.success? }).to all(be(true))
      expect(spooled).to be_empty
      expect(@etcd.keys(prefix).keys).to match_array(expected(firings))
      versions = JSON.parse(@etcd.etcdctl('get', '--prefix', "#{prefix}/v1/firings", '-w', 'json'))['kvs'].map { |pair| pair['version'] }
      expect(versions).to eq([1] * 24)
    end
  end
end
