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

  it 'writes the firing and the inbox entries in one transaction, and logs the firing' do
    resource = trigger(keyprefix: '/k')
    notices = []
    allow(resource).to receive(:notice) { |text| notices << text }
    resource.refresh
    id = notices.first[/\Afired (\w{26}) to 2 nodes \(lb01, lb02\)\z/, 1]
    expect(sent.keys).to eq(["/k/v1/firings/#{id}", "/k/v1/inbox/lb01/#{id}", "/k/v1/inbox/lb02/#{id}"])
    expect(server.requests.size).to eq(1)
  end

  it 'has no causes outside of a run' do
    trigger.refresh
    expect(JSON.parse(sent.values.first)['origin']).to include('kind' => 'puppet', 'resource' => 'Trigger[t]', 'causes' => [],
                                                               'causes_total' => 0, 'transaction_uuid' => nil)
  end

  it 'reads prefix and node from the client settings if the manifest does not set them' do
    use_client_json('prefix' => '/c', 'node' => 'Web01.example.com')
    trigger.refresh
    expect(sent.keys.first).to start_with('/c/v1/firings/')
    expect(JSON.parse(sent.values.first)['origin']['node']).to eq('web01.example.com')
  end

  describe 'when etcd refuses' do
    let(:refusing) { StubServer.start { [403, '{"error":"etcdserver: permission denied"}'] } }
    let(:spool) { use_client_json({}) && PuppetX::Trigger::ClientSettings.load.spool }

    it 'keeps the firing in the spool, and warns with place, deliverer and reason' do
      resource = trigger(endpoints: refusing.url)
      expect(resource).to receive(:warning).with(
        /\Acould not fire \w{26} to 2 nodes \(lb01, lb02\) yet: #{refusing.url}: HTTP 403.*grant.* The firing is stored in #{spool}; the daemon/,
      )
      resource.refresh
      expect(Dir.children(spool)).to contain_exactly(/\A\w{26}\.json\z/, /\A\w{26}\.place\z/)
    end

    it 'fails with require_publish, and keeps the firing' do
      expect { trigger(endpoints: refusing.url, require_publish: true).refresh }
        .to raise_error(Puppet::Error, /\Acould not fire \w{26} to 2 nodes \(lb01, lb02\): .*HTTP 403.*The firing is stored in #{spool}/)
      expect(Dir.children(spool)).to include(/json\z/)
    end
  end

  it 'publishes without a spool, and warns' do
    use_client_json('spool' => __FILE__)
    resource = trigger
    expect(resource).to receive(:warning).with(/the spool #{__FILE__} is not a directory. Remove this file. .* is lost\z/)
    expect(resource).to receive(:notice).with(/\Afired/)
    resource.refresh
  end

  it 'fails without a spool and without etcd' do
    use_client_json('spool' => __FILE__)
    expect { trigger(endpoints: 'http://127.0.0.1:1').refresh }
      .to raise_error(Puppet::Error, /connection refused.*The firing is not in the spool either: the spool #{__FILE__}/)
  end

  it 'neither spools nor publishes a document that readers refuse' do
    use_client_json('spool' => spool_path)
    expect { trigger(args: { 'text' => 'x' * 1024 * 1024 }).refresh }
      .to raise_error(Puppet::Error, /\Acould not fire to 2 nodes .*at most 1048576 are allowed. Shorten args/)
    expect([spooled, server.requests]).to eq([[], []])
  end

  it 'continues the chain that led to this run' do
    link = { firing: '01K9ZQ4T5M8W3V6X7Y8Z9A0BCD', node: 'web01', trigger: 'a' }
    Cleanup.defer { ENV.delete('TRIGGERD_CONTEXT') }
    ENV['TRIGGERD_CONTEXT'] = client_json(JSON.generate(format: 1, chain: [link], ttl: 3))
    trigger.refresh
    expect(JSON.parse(sent.values.first)).to include('ttl' => 3, 'chain' => [link.transform_keys(&:to_s)])
  end

  it 'warns about a context that it cannot read, and fires' do
    Cleanup.defer { ENV.delete('TRIGGERD_CONTEXT') }
    ENV['TRIGGERD_CONTEXT'] = '/nowhere'
    resource = trigger
    expect(resource).to receive(:warning).with(%r{TRIGGERD_CONTEXT names /nowhere, .*; the chain of firings starts here})
    resource.refresh
    expect(JSON.parse(sent.values.first)['chain']).to eq([])
  end

  it 'names no firing in the error if it made none' do
    use_client_json('endpoint' => 'x')
    expect { trigger.refresh }.to raise_error(Puppet::Error, /\Acould not fire to 2 nodes \(lb01, lb02\): .*unknown key/)
  end
end
