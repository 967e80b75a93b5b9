# frozen_string_literal: true

require 'spec_helper'
require 'puppet_x/trigger/gateway'
require 'puppet_x/trigger/keys'
require 'puppet_x/trigger/publication'

RSpec.describe 'an etcd with TLS, client certificates and authentication' do
  before(:all) do
    @certificates = Certificates.new
    @stranger = Certificates.new
    @etcd = EtcdServer.start(certificates: @certificates)
    [%w[role add root], %w[role add writer], %w[role grant-permission writer readwrite --prefix=true /trigger],
     %w[user add root:top], %w[user grant-role root root],
     %w[user add web01:sesame], %w[user grant-role web01 writer], %w[auth enable]].each { |words| @etcd.etcdctl(*words) }
  end

  after(:all) { @etcd.stop }

  def settings(changes = {})
    { 'endpoints' => [@etcd.url], 'ca_file' => @certificates.path('ca.crt'), 'cert_file' => @certificates.path('nameless.crt'),
      'key_file' => @certificates.path('nameless.key'), 'username' => 'web01', 'password_file' => client_json("sesame\n") }
      .merge(changes).compact
  end

  def gateway(changes = {})
    PuppetX::Trigger::Gateway.from(client_settings(settings(changes)))
  end

  def publish(gateway, prefix = '/trigger')
    firing = SampleFiring.to(%w[lb01 lb02])
    PuppetX::Trigger::Publication.new(gateway, PuppetX::Trigger::Keys.new(prefix), firing).publish
    firing
  end

  def stored(id)
    @etcd.etcdctl('--user', 'root:top', 'get', "/trigger/v1/firings/#{id}", '--print-value-only').chomp
  end

  it 'accepts a firing' do
    firing = publish(gateway)
    expect(stored(firing.id)).to eq(firing.json)
  end

  it 'accepts a firing from a real Puppet run' do
    run = PuppetRun.apply("notify { 'x': notify => Trigger['t'] } trigger { 't': hosts => 'lb01' }",
                          env: { 'TRIGGERD_CLIENT_JSON' => client_json(settings) })
    expect(run.exit_code).to eq(2), run.output
    expect(stored(run.output[/fired (\w{26}) to 1 node \(lb01\)/, 1])).to include('"trigger":"t"')
  end

  it 'gets a new token after the user has changed' do
    gateway = gateway()
    publish(gateway)
    @etcd.etcdctl('--user', 'root:top', 'user', 'add', 'another:one')
    expect { publish(gateway) }.not_to raise_error
  end

  {
    'a wrong password' => [{ 'username' => 'stranger' }, /authentication failed.*Check username and password_file/],
    'no user' => [{ 'username' => nil }, /etcd has authentication enabled. Set username/],
    'no client certificate' => [{ 'cert_file' => nil, 'key_file' => nil }, /certificate.*Check ca_file, cert_file/],
    'no authority' => [{ 'ca_file' => nil }, /certificate verify failed.*Set ca_file in the client settings/],
    'an unreadable key' => [{ 'key_file' => '/nowhere' }, %r{key_file /nowhere cannot be read}],
    'a key that is none' => [{ 'key_file' => __FILE__ }, /key_file .* contains no valid PEM/],
  }.each do |what, (changes, message)|
    it "refuses #{what}, and the message says what to do" do
      expect { publish(gateway(changes)) }
        .to raise_error(PuppetX::Trigger::Error, message) { |error| expect(error.message).not_to match(/sesame|"format"/) }
    end
  end

  it 'refuses a client certificate with a CommonName' do
    changes = { 'cert_file' => @certificates.path('client.crt'), 'key_file' => @certificates.path('client.key') }
    expect { publish(gateway(changes)) }.to raise_error(PuppetX::Trigger::PublishError, /Use one without/)
  end

  it 'does not make the whole process trust its CA' do
    publish(gateway)
    expect { publish(gateway('ca_file' => nil)) }.to raise_error(PuppetX::Trigger::PublishError, /certificate verify failed/)
  end

  it 'is closed to the certificate of another authority' do
    changes = { 'cert_file' => @stranger.path('client.crt'), 'key_file' => @stranger.path('client.key') }
    expect { publish(gateway(changes)) }.to raise_error(PuppetX::Trigger::PublishError, /Check ca_file, cert_file/)
  end

  it 'is not trusted under another name than that of its certificate' do
    expect { publish(gateway('endpoints' => [@etcd.url.sub('127.0.0.1', 'localhost')])) }
      .to raise_error(PuppetX::Trigger::PublishError, /(?:hostname mismatch|does not match).*write in endpoints the name or address in etcd's certificate/i)
  end

  it 'refuses keys outside the granted prefix' do
    expect { publish(gateway, '/other') }.to raise_error(PuppetX::Trigger::PublishError, /permission denied.*Grant etcd's user/)
  end

  it 'answers an http URL with the advice to use https' do
    expect { publish(gateway('endpoints' => [@etcd.url.sub('https', 'http')], 'username' => nil)) }
      .to raise_error(PuppetX::Trigger::PublishError, %r{This endpoint has TLS. Write https://})
  end
end

RSpec.describe 'an etcd with TLS and client certificates' do
  it 'accepts a firing from a client whose certificate has a CommonName, as Puppet issues them' do
    certificates = Certificates.new
    etcd = EtcdServer.start(certificates: certificates)
    Cleanup.defer { etcd.stop }
    files = { 'ca_file' => 'ca.crt', 'cert_file' => 'client.crt', 'key_file' => 'client.key' }
    settings = client_settings({ 'endpoints' => etcd.url }.merge(files.transform_values { |name| certificates.path(name) }))
    firing = SampleFiring.to(%w[lb01])
    PuppetX::Trigger::Publication.new(PuppetX::Trigger::Gateway.from(settings), PuppetX::Trigger::Keys.new('/tls'), firing).publish
    expect(etcd.keys('/tls').size).to eq(2)
  end
end

RSpec.describe 'an etcd with an expired certificate' do
  it 'is not trusted, and the message says to renew the certificate' do
    certificates = Certificates.new
    etcd = EtcdServer.start(certificates: certificates, server: 'expired')
    Cleanup.defer { etcd.stop }
    files = { 'ca_file' => 'ca.crt', 'cert_file' => 'client.crt', 'key_file' => 'client.key' }
    settings = client_settings({ 'endpoints' => etcd.url }.merge(files.transform_values { |name| certificates.path(name) }))
    expect { PuppetX::Trigger::Gateway.from(settings, rounds: 1).range({ key: 'eA==' }) }
      .to raise_error(PuppetX::Trigger::PublishError, /certificate has expired.*renew etcd's certificate, or check this node's clock/i)
  end
end

RSpec.describe 'an etcd without the JSON gateway' do
  it 'is recognized' do
    etcd = EtcdServer.start(flags: ['--enable-grpc-gateway=false'])
    Cleanup.defer { etcd.stop }
    gateway = PuppetX::Trigger::Gateway.from(client_settings('endpoints' => etcd.url))
    expect { gateway.commit({}) }.to raise_error(PuppetX::Trigger::PublishError, /HTTP 404.*enable-grpc-gateway: true/)
  end
end

RSpec.describe 'an etcd without authentication' do
  it 'accepts a firing from a client that has a user' do
    settings = client_settings('endpoints' => EtcdServer.shared.url, 'username' => 'u', 'password_file' => client_json('p'))
    firing = SampleFiring.to(%w[lb01])
    PuppetX::Trigger::Publication.new(PuppetX::Trigger::Gateway.from(settings), PuppetX::Trigger::Keys.new('/noauth'), firing).publish
    expect(EtcdServer.shared.keys('/noauth').size).to eq(2)
  end
end

RSpec.describe 'an endpoint that is not a member of a cluster' do
  def failure_at(url)
    PuppetX::Trigger::Gateway.from(client_settings('endpoints' => [url]), rounds: 1).range({ key: 'eA==' })
    nil
  rescue PuppetX::Trigger::PublishError => e
    e.message
  end

  it 'is reported as a gRPC proxy, which has no JSON gateway' do
    port = EtcdServer.free_port
    proxy = Process.spawn('etcd', 'grpc-proxy', 'start', '--endpoints', EtcdServer.shared.url.delete_prefix('http://'),
                          '--listen-addr', "127.0.0.1:#{port}", out: File::NULL, err: File::NULL)
    url = "http://127.0.0.1:#{port}"
    eventually('the proxy') { failure_at(url)&.include?('connection refused') == false }
    expect(failure_at(url)).to include("This is etcd's gRPC proxy or not etcd: it has no JSON gateway")
  ensure
    Process.kill(:KILL, proxy)
    Process.wait(proxy)
  end

  it 'is reported to need http if etcd has no TLS' do
    expect(failure_at(EtcdServer.shared.url.sub('http', 'https'))).to include('This endpoint has no TLS. Set up TLS in etcd, or write http://')
  end
end
