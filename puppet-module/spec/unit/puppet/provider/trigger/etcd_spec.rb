# frozen_string_literal: true

require 'spec_helper'
require 'puppet'

RSpec.describe 'the provider etcd of the type trigger' do
  let(:server) { StubServer.start { [200, '{"succeeded":true}'] } }

  def trigger(parameters = {})
    Puppet::Type.type(:trigger).new({ name: 't', hosts: %w[lb01 lb02], endpoints: server.url }.merge(parameters))
  end

  def sent
    operations = JSON.parse(server.requests.last.body)['success']
    operations.to_h { |operation| operation['request_put'].values_at('key', 'value').map { |text| text.unpack1('m') } }
  end

  it 'puts the firing and the inbox entries in one transaction, and says so' do
    resource = trigger(keyprefix: '/k')
    notices = []
    allow(resource).to receive(:notice) { |text| notices << text }
    resource.refresh
    id = notices.first[/\Afired (\w{26}) to 2 nodes \(lb01, lb02\)\z/, 1]
    expect(sent.keys).to eq(["/k/v1/firings/#{id}", "/k/v1/inbox/lb01/#{id}", "/k/v1/inbox/lb02/#{id}"])
    expect(server.requests.size).to eq(1)
  end

  it 'knows nothing about the run outside of one' do
    trigger.refresh
    expect(JSON.parse(sent.values.first)['origin']).to include('kind' => 'puppet', 'resource' => 'Trigger[t]', 'causes' => [],
                                                               'causes_total' => 0, 'transaction_uuid' => nil)
  end

  it 'takes prefix and node from the client settings where the manifest is silent' do
    use_client_json('prefix' => '/c', 'node' => 'Web01.example.com')
    trigger.refresh
    expect(sent.keys.first).to start_with('/c/v1/firings/')
    expect(JSON.parse(sent.values.first)['origin']['node']).to eq('web01.example.com')
  end

  describe 'when etcd refuses' do
    let(:refusing) { StubServer.start { [403, '{"error":"etcdserver: permission denied"}'] } }
    let(:spool) { use_client_json({}) && PuppetX::Trigger::ClientSettings.load.spool }

    it 'keeps the firing in the spool, and warns where it is, who delivers it and what is wrong' do
      resource = trigger(endpoints: refusing.url)
      expect(resource).to receive(:warning).with(
        %r{\Acould not fire \w{26} to 2 nodes \(lb01, lb02\) yet: #{refusing.url}: HTTP 403.*grant.* It is spooled in #{spool}; the daemon},
      )
      resource.refresh
      expect(Dir.children(spool)).to contain_exactly(/\A\w{26}\.json\z/, /\A\w{26}\.place\z/)
    end

    it 'fails where etcd must have it, and keeps the firing' do
      expect { trigger(endpoints: refusing.url, require_publish: true).refresh }
        .to raise_error(Puppet::Error, /\Acould not fire \w{26} to 2 nodes \(lb01, lb02\): .*HTTP 403.*It is spooled in #{spool}/)
      expect(Dir.children(spool)).to include(/json\z/)
    end
  end

  it 'names no firing when there never was one' do
    use_client_json('endpoint' => 'x')
    expect { trigger.refresh }.to raise_error(Puppet::Error, /\Acould not fire to 2 nodes \(lb01, lb02\): .*unknown key/)
  end
end
