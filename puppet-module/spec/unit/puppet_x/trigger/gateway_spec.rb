# frozen_string_literal: true

require 'spec_helper'
require 'puppet_x/trigger/gateway'

RSpec.describe PuppetX::Trigger::Gateway do
  def endpoint(server)
    # A busy machine is no server that is silent.
    PuppetX::Trigger::Endpoint.new(server.respond_to?(:url) ? server.url : server, read_timeout: server == silent ? 0.3 : 60)
  end

  def gateway(*servers, credentials: nil)
    described_class.new(servers.map { |server| endpoint(server) }, credentials, pause: 0)
  end

  def credentials(name = 'triggerd', password = 'open sesame')
    client_settings('username' => name, 'password_file' => client_json(password))
  end

  def error_of(gateway)
    gateway.commit({})
    nil
  rescue PuppetX::Trigger::PublishError => e
    e.message
  end

  let(:good) { StubServer.start { [200, '{"succeeded":true}'] } }
  let(:broken) { StubServer.start { [500, 'oops'] } }
  let(:silent) { StubServer.start { :silence } }
  let(:closed) { "http://127.0.0.1:#{EtcdServer.free_port}" }

  it 'tries the next endpoint after any failure of one' do
    expect(gateway(closed, broken, silent, good).commit({})).to be_succeeded
  end

  it 'starts with the endpoint that answered last' do
    gateway = gateway(broken, good)
    2.times { gateway.commit({}) }
    expect([broken.requests.size, good.requests.size]).to eq([1, 2])
  end

  it 'repeats a request whose answer may be lost' do
    answers = [:hang_up, [200, '{"succeeded":true}']]
    server = StubServer.start { answers.shift }
    expect(gateway(server).commit({})).to be_succeeded
  end

  it 'does not repeat a request to a closed port' do
    expect(error_of(gateway(closed)).scan('connection refused').size).to eq(1)
  end

  it 'names every endpoint with its problem and a remedy' do
    expect(error_of(gateway(closed, broken))).to eq(
      "#{closed}: connection refused; #{broken.url}: HTTP 500 (etcd may have applied the request). Check that " \
      'etcd runs there and that the endpoint is right. Check the cluster (etcdctl endpoint status)',
    )
  end

  it 'names enable-grpc-gateway if the JSON gateway is off' do
    member = StubServer.start { |request| request.path == '/version' ? [200, '{"etcdserver":"3.4.23"}'] : [404, '404 page not found'] }
    expect(error_of(gateway(member))).to include('enable-grpc-gateway')
  end

  it 'does not ask other endpoints after a refusal by the cluster' do
    refusing = StubServer.start { [403, '{"error":"etcdserver: permission denied"}'] }
    expect(error_of(gateway(refusing, good))).to include('permission denied')
    expect(good.requests).to be_empty
  end

  it 'gets a token and uses it for later requests' do
    server = StubServer.start { |request| [200, request.path.end_with?('authenticate') ? '{"token":"T"}' : '{"succeeded":true}'] }
    gateway = gateway(server, credentials: credentials)
    2.times { gateway.commit({}) }
    expect(server.requests.map { |request| [request.path, request.headers['authorization']] })
      .to eq([['/v3/auth/authenticate', nil], ['/v3/kv/txn', 'T'], ['/v3/kv/txn', 'T']])
    expect(server.requests.first.body).to eq('{"name":"triggerd","password":"open sesame"}')
  end

  it 'gets a new token once if etcd refuses the old one' do
    tokens = %w[old new newer]
    server = StubServer.start do |request|
      next [200, JSON.generate(token: tokens.shift)] if request.path.end_with?('authenticate')

      request.headers['authorization'] == 'new' ? [200, '{"succeeded":true}'] : [401, '{"error":"etcdserver: invalid auth token"}']
    end
    expect(gateway(server, credentials: credentials).commit({})).to be_succeeded
    expect(tokens).to eq(%w[newer])
  end

  it 'gives up when etcd refuses the new token as well' do
    server = StubServer.start do |request|
      request.path.end_with?('authenticate') ? [200, '{"token":"T"}'] : [401, '{"error":"etcdserver: invalid auth token"}']
    end
    expect(error_of(gateway(server, credentials: credentials))).to include('invalid auth token')
    expect(server.requests.size).to eq(4)
  end

  it 'never tells the password' do
    server = StubServer.start { |request| [400, JSON.generate(error: request.body)] }
    expect(error_of(gateway(server, credentials: credentials))).to match(/HTTP 400(?!.*sesame)/)
  end
end
