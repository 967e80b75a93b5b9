# frozen_string_literal: true

require 'spec_helper'
require 'securerandom'
require 'puppet_x/trigger/gateway'
require 'puppet_x/trigger/keys'
require 'puppet_x/trigger/publication'

RSpec.describe 'a publication on a real etcd' do
  let(:etcd) { EtcdServer.shared }
  let(:prefix) { "/p#{SecureRandom.hex(4)}" }
  let(:keys) { PuppetX::Trigger::Keys.new(prefix) }

  def gateway(*urls)
    endpoints = urls.map { |url| PuppetX::Trigger::Endpoint.new(url, read_timeout: 60) }
    PuppetX::Trigger::Gateway.new(endpoints, pause: 0)
  end

  def publish(firing, through: gateway(etcd.url))
    PuppetX::Trigger::Publication.new(through, keys, firing).publish
  end

  def expected_keys(firing)
    list = firing.targets.size > 126 ? [keys.targets(firing.id)] : []
    [keys.firing(firing.id), *list, *firing.targets.map { |node| keys.inbox(node, firing.id) }]
  end

  [1, 126].each do |count|
    it "writes a firing to #{count} nodes, and nothing else" do
      firing = SampleFiring.to(SampleFiring.hosts(count))
      publish(firing)
      expect(etcd.keys(prefix)).to eq(expected_keys(firing).to_h { |key| [key, firing.entry] }.merge(keys.firing(firing.id) => firing.json))
    end
  end

  [127, 300].each do |count|
    it "writes a firing to #{count} nodes with their list in a separate key, and nothing else" do
      firing = SampleFiring.to(SampleFiring.hosts(count))
      publish(firing)
      stored = etcd.keys(prefix)
      brief = JSON.parse(firing.json).merge('targets' => nil, 'targets_total' => count)
      expect(JSON.parse(stored.delete(keys.firing(firing.id)))).to eq(brief)
      expect(stored.delete(keys.targets(firing.id))).to eq(firing.json)
      entry = JSON.generate(fixture('inbox-entry-early').merge('firing' => firing.id, 'early' => count))
      expect(stored).to eq(firing.targets.to_h { |node| [keys.inbox(node, firing.id), entry] })
    end
  end

  it 'writes the brief document of the fixture for a firing with many targets' do
    document = PuppetX::Trigger::Document.parse(JSON.pretty_generate(fixture('firing-many')))
    publish(document)
    stored = etcd.keys(prefix)
    expect(stored[keys.targets(document.id)]).to eq(document.json)
    expect(JSON.parse(stored[keys.firing(document.id)])).to eq(fixture('firing-brief'))
  end

  it 'writes a firing to 10,000 nodes with names of 60 characters' do
    firing = SampleFiring.to((1..10_000).map { |number| format('node%05d.%s.example.com', number, 'x' * 38) })
    publish(firing)
    stored = etcd.keys(prefix)
    expect(firing.targets.map(&:length)).to all(eq(60))
    expect(stored[keys.targets(firing.id)]).to eq(firing.json)
    expect(stored.keys).to match_array(expected_keys(firing))
  end

  { 126 => 1, 127 => 5, 300 => 6 }.each do |count, transactions|
    it "needs #{transactions} transactions for #{count} nodes" do
      counted = gateway(etcd.url)
      expect(counted).to receive(:commit).exactly(transactions).times.and_call_original
      publish(SampleFiring.to(SampleFiring.hosts(count)), through: counted)
    end
  end

  it 'changes nothing when the same firing is published again' do
    [2, 200].each do |count|
      firing = SampleFiring.to(SampleFiring.hosts(count))
      publish(firing)
      revision = JSON.parse(etcd.etcdctl('get', keys.firing(firing.id), '-w', 'json'))['header']['revision']
      publish(firing)
      expect(JSON.parse(etcd.etcdctl('get', 'x', '-w', 'json'))['header']['revision']).to eq(revision)
    end
  end

  it 'never overwrites another firing' do
    firing = SampleFiring.to(%w[lb01])
    etcd.etcdctl('put', keys.firing(firing.id), 'something else')
    expect { publish(firing) }.to raise_error(PuppetX::Trigger::PublishError, /another firing/)
    expect(etcd.keys(prefix)).to eq(keys.firing(firing.id) => 'something else')
  end

  it 'never writes among the entries of a firing that another process publishes' do
    firing = SampleFiring.to(SampleFiring.hosts(200))
    other = { keys.publishing(firing.id) => firing.entry, keys.targets(firing.id) => 'something else' }
    other.each { |key, value| etcd.etcdctl('put', key, value) }
    expect { publish(firing) }.to raise_error(PuppetX::Trigger::ConflictError, /another firing/)
    expect(etcd.keys(prefix)).to eq(other)
  end

  describe 'when another process interferes between two chunks' do
    let(:firing) { SampleFiring.to(SampleFiring.hosts(300)) }

    # Calls the block before each commit, with the number of those before.
    def disturbed
      commits = -1
      gateway(etcd.url).tap do |gateway|
        allow(gateway).to receive(:commit).and_wrap_original do |commit, transaction|
          yield commits += 1
          commit.call(transaction)
        end
      end
    end

    def sweep
      [keys.publishing(firing.id), keys.targets(firing.id)].each { |key| etcd.etcdctl('del', key) }
    end

    it 'starts again when the sweeper has deleted the publication' do
      publish(firing, through: disturbed { |commits| sweep if [2, 9].include?(commits) })
      expect(etcd.keys(prefix).keys).to match_array(expected_keys(firing))
    end

    it 'starts again when another publisher has put a new marker after a sweep' do
      publish(firing, through: disturbed do |commits|
        next unless commits == 3

        sweep
        etcd.etcdctl('del', '--prefix', "#{prefix}/v1/inbox/")
        etcd.etcdctl('put', keys.publishing(firing.id), firing.entry)
      end)
      expect(etcd.keys(prefix).keys).to match_array(expected_keys(firing))
    end

    it 'gives up after several such sweeps, and has fired nothing' do
      expect { publish(firing, through: disturbed { |commits| sweep if (commits % 4) == 3 }) }
        .to raise_error(PuppetX::Trigger::PublishError, /took too long, and the sweeper deleted it/)
      expect(etcd.keys("#{prefix}/v1/firings")).to be_empty
    end

    (1..5).each do |commits|
      it "succeeds when another drainer commits the same firing after #{commits} of 6 transactions" do
        publish(firing, through: disturbed { |count| publish(firing) if count == commits })
        expect(etcd.keys(prefix).keys).to match_array(expected_keys(firing))
      end
    end
  end

  describe 'when an answer is lost after etcd has applied the request' do
    # Hands the first `count` requests on and swallows their answers.
    def losing(count)
      StubServer.start do |request|
        answer = Forward.to(etcd.url, request)
        (count -= 1) >= 0 ? :hang_up : answer
      end
    end

    [2, 300].each do |count|
      it "recognizes its firing to #{count} nodes through another endpoint: one firing, success" do
        firing = SampleFiring.to(SampleFiring.hosts(count))
        lossy = losing(100)
        publish(firing, through: gateway(lossy.url, etcd.url))
        expect(etcd.keys(prefix).keys).to match_array(expected_keys(firing))
        expect(lossy.requests.size).to eq(1)
      end

      it "recognizes its firing to #{count} nodes when every other answer is lost" do
        firing = SampleFiring.to(SampleFiring.hosts(count))
        turn = 0
        lossy = StubServer.start do |request|
          answer = Forward.to(etcd.url, request)
          (turn += 1).odd? ? :hang_up : answer
        end
        publish(firing, through: gateway(lossy.url))
        expect(etcd.keys(prefix).keys).to match_array(expected_keys(firing))
      end
    end

    it 'reports an unknown result when no endpoint answers' do
      firing = SampleFiring.to(%w[lb01])
      expect { publish(firing, through: gateway(losing(100).url)) }
        .to raise_error(PuppetX::Trigger::PublishError, /etcd may have applied the request/)
    end
  end

  # The publisher is a process of its own that is killed in the middle, as by the kernel.
  (1..5).each do |survived|
    it "leaves no committed firing when the publisher is killed after #{survived} of 6 transactions" do
      firing = SampleFiring.to(SampleFiring.hosts(300))
      publication = PuppetX::Trigger::Publication.new(dying(gateway(etcd.url), survived), keys, firing)
      pid = fork { publication.publish }
      expect(Process.wait2(pid).last.termsig).to eq(Signal.list['KILL'])
      expect(etcd.keys("#{prefix}/v1/firings")).to be_empty
      expect(etcd.keys("#{prefix}/v1/inbox").size).to eq(100 * [survived - 2, 0].max)
      expect(etcd.keys("#{prefix}/v1/publishing").keys).to eq([keys.publishing(firing.id)])
    end
  end

  def dying(gateway, survived)
    Class.new do
      define_method(:commit) do |transaction|
        Process.kill(:KILL, Process.pid) if survived.zero?
        survived -= 1
        gateway.commit(transaction)
      end
    end.new
  end
end
