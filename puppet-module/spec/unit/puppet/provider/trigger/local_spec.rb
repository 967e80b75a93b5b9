# frozen_string_literal: true

require 'spec_helper'
require 'puppet'

RSpec.describe 'the provider local of the type trigger' do
  let(:socket) { File.join(scratch_dir, 'sock') }

  before { use_client_json('socket' => socket, 'spool' => spool_path, 'node' => 'web01') }

  def trigger(parameters = {})
    Puppet::Type.type(:trigger).new({ name: 't', hosts: 'lb01', provider: :local }.merge(parameters))
  end

  def said(resource)
    [].tap do |lines|
      %i[notice warning].each { |level| allow(resource).to receive(level) { |text| lines << "#{level}: #{text}" } }
      resource.refresh
    end
  end

  it 'hands the firing over to the daemon, and logs that' do
    daemon = StubDaemon.start(socket) { [202, {}] }
    expect(said(trigger)).to contain_exactly(/\Anotice: handed \w{26} to 1 node \(lb01\) over to the daemon triggerd, which fires it\z/)
    expect(JSON.parse(daemon.requests.first.body)).to include('trigger' => 't', 'targets' => ['lb01'])
    expect(spooled).to be_empty
  end

  it 'waits for etcd with require_publish' do
    daemon = StubDaemon.start(socket) { [201, {}] }
    expect(said(trigger(require_publish: true))).to contain_exactly(/\Anotice: fired \w{26} to 1 node/)
    expect(daemon.requests.first.line).to include('?publish=1')
  end

  it 'fails with require_publish if etcd does not accept the firing, and says where the firing is' do
    StubDaemon.start(socket) { [503, { error: { code: 'etcd-unreachable', message: 'no etcd', remedy: 'r', details: { stage: 'stored' } } }] }
    expect { trigger(require_publish: true).refresh }
      .to raise_error(Puppet::Error, /\Acould not fire \w{26} to 1 node \(lb01\): no etcd. r. The firing is stored in the spool of the daemon; /)
    expect(spooled).to be_empty
  end

  it 'spools the firing itself with a warning if the daemon is down' do
    expect(said(trigger)).to contain_exactly(/\Awarning: could not fire \w{26} .* yet: the daemon triggerd does not answer .*The firing is stored in #{spool_path}; /)
    expect(spooled).to contain_exactly(/\A\w{26}\.json\z/)
  end

  it 'fails with require_publish if the daemon is down, but spools the firing' do
    expect { trigger(require_publish: true).refresh }.to raise_error(Puppet::Error, /does not answer.*The firing is stored in #{spool_path}/)
    expect(spooled.size).to eq(1)
  end

  it 'fails with both reasons without daemon and spool' do
    File.write(spool_path, '')
    expect { trigger.refresh }.to raise_error(Puppet::Error, /does not answer.*The firing is not in the spool either: the spool #{spool_path} is not a directory/)
  end

  it 'fails at once and keeps nothing if the daemon refuses the firing' do
    StubDaemon.start(socket) { [400, { error: { code: 'input-invalid', message: 'tags: expected less', remedy: '', details: {} } }] }
    expect { trigger.refresh }.to raise_error(Puppet::Error, /could not fire \w{26} .*: tags: expected less\z/)
    expect(spooled).to be_empty
  end

  describe 'with wait' do
    def outcome(values = {})
      { node: 'lb01', stage: 'finished', result: 'succeeded', exit_code: 0, details: {} }.merge(values)
    end

    def daemon(*answers)
      StubDaemon.start(socket) { |request| request.line.start_with?('POST') ? [201, {}] : answers.shift }
    end

    it 'publishes the firing to etcd, and follows it' do
      stub = daemon([200, outcome])
      expect(said(trigger(wait: true))).to match([/\Anotice: fired \w{26}/, /\Anotice: \w{26} has finished on 1 node after \d+s\z/])
      expect(stub.requests.map(&:line)).to match([%r{\APOST /v1/spool\?publish=1 }, %r{\AGET /v1/firings/\w{26}/follow }])
    end

    it 'retries while etcd does not have the firing or the daemon is down, and warns once' do
      daemon([404, { error: { code: 'firing-not-found', message: 'x' } }], [:hang_up], [503, { error: { message: 'busy', remedy: 'wait' } }],
             [200, outcome(stage: 'running', result: nil)], [200, outcome])
      expect(said(trigger(wait: true))).to match([/fired/, /\Awarning: cannot read the outcomes of .* etcd does not have the firing yet\z/, /has finished/])
    end

    it 'stops after the timeout if the daemon does not answer' do
      daemon([:silence])
      expect { trigger(wait: true, timeout: 1).refresh }.to raise_error(Puppet::Error, /lb01 still owed after 1s\. The firing continues there\./)
    end

    it 'fails when a run failed' do
      daemon([200, outcome(result: 'failed', exit_code: 1)])
      expect { trigger(wait: true).refresh }.to raise_error(Puppet::Error, /\A\w{26} did not succeed on 1 of 1 node: lb01 failed with exit code 1\. /)
    end

    it 'accepts only outcomes as an answer' do
      daemon([200, 'nonsense'], [200, { error: {} }], [200, outcome])
      expect(said(trigger(wait: true)).last).to match(/has finished/)
    end
  end

  it 'is never the default' do
    expect(Puppet::Type.type(:trigger).new(name: 't').provider.class.name).to eq(:etcd)
  end

  %i[endpoints keyprefix].each do |name|
    it "refuses the parameter #{name}" do
      value = { endpoints: 'http://a:1', keyprefix: '/a' }[name]
      expect { trigger(name => value) }.to raise_error(Puppet::Error, /#{name} needs the provider etcd; the provider local uses the daemon's/)
    end
  end
end
