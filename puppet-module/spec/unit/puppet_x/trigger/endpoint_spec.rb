# frozen_string_literal: true

require 'spec_helper'
require 'puppet_x/trigger/client_settings'
require 'puppet_x/trigger/endpoint'
require 'puppet_x/trigger/tls'

RSpec.describe PuppetX::Trigger::Endpoint do
  def failure_of(url, **options)
    described_class.new(url, **options).post('/v3/kv/txn', { secret: 'payload' })
    nil
  rescue PuppetX::Trigger::Failure => e
    e
  end

  def failure_from(*response)
    failure_of(StubServer.start { response }.url)
  end

  it 'posts JSON and returns the answer' do
    server = StubServer.start { [200, '{"a":1}'] }
    expect(described_class.new(server.url).post('/x', { b: 2 }, token: 't')).to eq('a' => 1)
    expect(server.requests.first.to_h).to include(path: '/x', body: '{"b":2}', headers: include('authorization' => 't'))
  end

  it 'never goes through a proxy' do
    proxy = StubServer.start { [200, '{}'] }
    before = ENV.fetch('http_proxy', nil)
    Cleanup.defer { ENV['http_proxy'] = before }
    ENV['http_proxy'] = proxy.url
    expect(failure_of('http://nobody.invalid:2379').kind).to eq(:unreachable)
    expect(proxy.requests).to be_empty
  end

  {
    [500, 'oops'] => [:unavailable, 'HTTP 500'],
    [503, '{"error":"etcdserver: no leader"}'] => [:unavailable, 'HTTP 503: etcdserver: no leader'],
    [404, '404 page not found'] => [:grpc_proxy, 'HTTP 404'],
    [400, 'Client sent an HTTP request to an HTTPS server.'] => [:wants_https, 'HTTP 400'],
    [400, '{"error":"etcdserver: user name is empty"}'] => [:auth_required, 'HTTP 400: etcdserver: user name is empty'],
    [401, '{"error":"etcdserver: invalid auth token"}'] => [:stale_token, 'HTTP 401: etcdserver: invalid auth token'],
    [403, '{"error":"etcdserver: permission denied"}'] => [:denied, 'HTTP 403: etcdserver: permission denied'],
    [400, '{"error":"etcdserver: request is too large"}'] => [:rejected, 'HTTP 400: etcdserver: request is too large'],
    [400, '{"error":"you sent {secret}"}'] => [:not_etcd, 'HTTP 400'],
    [200, 'hello'] => [:not_etcd, 'answered 200 without a JSON object'],
    [200, '[]'] => [:not_etcd, 'answered 200 without a JSON object'],
  }.each do |response, (kind, message)|
    it "calls #{response.inspect} #{kind}" do
      failure = failure_from(*response)
      expect([failure.kind, failure.message]).to eq([kind, message])
    end
  end

  it 'calls a closed port unreachable' do
    failure = failure_of("http://127.0.0.1:#{EtcdServer.free_port}")
    expect([failure.kind, failure.message]).to eq([:unreachable, 'connection refused'])
  end

  # Resets what begins as TLS does, and answers all else.
  def resetting(status)
    server = TCPServer.new('127.0.0.1', 0)
    thread = Thread.new do
      loop do
        client = server.accept
        if client.getbyte == 22
          client.setsockopt(Socket::Option.linger(true, 0))
        else
          client.write("HTTP/1.1 #{status} x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        end
        client.close
      end
    end
    Cleanup.defer { [thread.kill, server.close] }
    "https://127.0.0.1:#{server.addr[1]}"
  end

  it 'calls a reset of TLS a need for http only where plain HTTP is answered' do
    kinds = [200, 400].map { |status| failure_of(resetting(status), tls: PuppetX::Trigger::Tls.new(client_settings('endpoints' => 'https://127.0.0.1:1'))).kind }
    expect(kinds).to eq(%i[wants_http unreachable])
  end

  it 'calls an unknown host name unreachable' do
    expect(failure_of('http://nobody.invalid:2379').kind).to eq(:unreachable)
  end

  it 'stops waiting for an answer, and reports that etcd may have applied the request' do
    failure = failure_of(StubServer.start { :silence }.url, read_timeout: 0.2)
    expect([failure.kind, failure.message, failure.uncertain?]).to eq([:unanswered, 'no answer: timed out after 0.2 s', true])
  end

  it 'reports that etcd may have applied a request if the connection ends without an answer' do
    expect(failure_of(StubServer.start { :hang_up }.url).kind).to eq(:unanswered)
  end
end
