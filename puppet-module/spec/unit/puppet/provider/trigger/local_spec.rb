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

  it 'hands the firing over to the daemon, and says so' do
    daemon = StubDaemon.start(socket) { [202, {}] }
    expect(said(trigger)).to contain_exactly(/\Anotice: handed \w{26} to 1 node \(lb01\) over to the daemon triggerd, which fires it\z/)
    expect(JSON.parse(daemon.requests.first.body)).to include('trigger' => 't', 'targets' => ['lb01'])
    expect(spooled).to be_empty
  end

  it 'waits for etcd where the manifest wants that' do
    daemon = StubDaemon.start(socket) { [201, {}] }
    expect(said(trigger(require_publish: true))).to contain_exactly(/\Anotice: fired \w{26} to 1 node/)
    expect(daemon.requests.first.line).to include('?publish=1')
  end

  it 'fails when etcd must have it and has not, and says who keeps it' do
    StubDaemon.start(socket) { [503, { error: { code: 'etcd-unreachable', message: 'no etcd', remedy: 'r', details: { stage: 'stored' } } }] }
    expect { trigger(require_publish: true).refresh }
      .to raise_error(Puppet::Error, /\Acould not fire \w{26} to 1 node \(lb01\): no etcd. To do: r. It is spooled in the spool of the daemon; /)
    expect(spooled).to be_empty
  end

  it 'spools the firing itself when the daemon is away, with a warning' do
    expect(said(trigger)).to contain_exactly(/\Awarning: could not fire \w{26} .* yet: the daemon triggerd does not answer .*It is spooled in #{spool_path}; /)
    expect(spooled).to contain_exactly(/\A\w{26}\.json\z/)
  end

  it 'fails then where etcd must have it, and spools it all the same' do
    expect { trigger(require_publish: true).refresh }.to raise_error(Puppet::Error, /does not answer.*It is spooled in #{spool_path}/)
    expect(spooled.size).to eq(1)
  end

  it 'fails with both reasons when there is no spool either' do
    File.write(spool_path, '')
    expect { trigger.refresh }.to raise_error(Puppet::Error, /does not answer.*It is not spooled either: the spool #{spool_path} is not a folder/)
  end

  it 'fails at once, and keeps nothing, when the daemon would not take such a firing' do
    StubDaemon.start(socket) { [400, { error: { code: 'input-invalid', message: 'tags: expected less', remedy: '', details: {} } }] }
    expect { trigger.refresh }.to raise_error(Puppet::Error, /could not fire \w{26} .*: tags: expected less\z/)
    expect(spooled).to be_empty
  end

  it 'is never chosen by accident' do
    expect(Puppet::Type.type(:trigger).new(name: 't').provider.class.name).to eq(:etcd)
  end

  %i[endpoints keyprefix].each do |name|
    it "takes no #{name}, which it could not honour" do
      value = { endpoints: 'http://a:1', keyprefix: '/a' }[name]
      expect { trigger(name => value) }.to raise_error(Puppet::Error, /#{name} is for the provider etcd; local uses what the daemon/)
    end
  end
end
