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

  it 'turns what went wrong into a failure of the resource' do
    refusing = StubServer.start { [403, '{"error":"etcdserver: permission denied"}'] }
    expect { trigger(endpoints: refusing.url).refresh }
      .to raise_error(Puppet::Error, /\Acould not fire \w{26} to 2 nodes \(lb01, lb02\): #{refusing.url}: HTTP 403.*grant/)
  end

  it 'names no firing when there never was one' do
    use_client_json('endpoint' => 'x')
    expect { trigger.refresh }.to raise_error(Puppet::Error, /\Acould not fire to 2 nodes \(lb01, lb02\): .*unknown key/)
  end
end
