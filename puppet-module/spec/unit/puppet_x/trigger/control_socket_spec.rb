# frozen_string_literal: true

require 'spec_helper'
require 'puppet_x/trigger/control_socket'

RSpec.describe PuppetX::Trigger::ControlSocket do
  let(:path) { File.join(scratch_dir, 'sock') }
  let(:socket) { described_class.new(path) }
  let(:document) { SampleFiring.to(%w[lb01], job: { args: { 'a' => 'ü' } }).json }

  def daemon(status, answer = {})
    StubDaemon.start(path) { [status, answer] }
  end

  def error(code, message, details = {})
    { error: { code: code, message: message, remedy: 'do this', details: details } }
  end

  it 'hands the document over byte for byte' do
    daemon = daemon(202, id: 'x', stage: 'stored')
    socket.store(document)
    request = daemon.requests.first
    expect([request.line, request.body, request.headers['content-type']])
      .to eq(['POST /v1/spool HTTP/1.1', document.b, 'application/json'])
  end

  it 'can wait until etcd has the firing' do
    daemon = daemon(201, id: 'x', stage: 'owed')
    socket.publish(document)
    expect(daemon.requests.first.line).to start_with('POST /v1/spool?publish=1 ')
  end

  it 'distinguishes accepted, refused and impossible firings' do
    answers = { stored: [503, error('etcd-unreachable', 'no etcd', stage: 'stored')],
                invalid: [400, error('input-invalid', 'ttl: expected')],
                full: [503, error('spool-unusable', 'disk full')],
                odd: [500, 'what?'],
                older: [404, error('input-invalid', 'there is no POST /v1/spool')] }.values
    StubDaemon.start(path) { answers.shift }
    expect { socket.publish(document) }.to raise_error(PuppetX::Trigger::PublishError, 'no etcd. do this')
    expect { socket.store(document) }.to raise_error(PuppetX::Trigger::InvalidFiring, 'ttl: expected')
    expect { socket.store(document) }.to raise_error(PuppetX::Trigger::DaemonAway, 'the daemon triggerd could not accept the firing: disk full. do this')
    expect { socket.store(document) }.to raise_error(PuppetX::Trigger::DaemonAway, /HTTP 500/)
    expect { socket.store(document) }.to raise_error(PuppetX::Trigger::DaemonAway, /too old.*Upgrade/)
  end

  {
    'nobody' => [->(_) {}, /no such socket/],
    'a dead daemon' => [->(path) { UNIXServer.new(path).close }, /nobody listens/],
    'a daemon that hangs up' => [->(path) { StubDaemon.start(path) { :hang_up } }, /the connection was closed/],
    'a daemon that says nothing' => [->(path) { StubDaemon.start(path) { :silence } }, /no answer within 0.2 s/, { read_timeout: 0.2 }],
  }.each do |what, (prepare, message, timeouts)|
    it "names the socket and a remedy when there is #{what}" do
      prepare.call(path)
      expect { described_class.new(path, **timeouts.to_h).store(document) }.to raise_error(PuppetX::Trigger::DaemonAway, message) do |error|
        expect(error.message).to include(path, 'systemctl status triggerd', 'client.json')
      end
    end
  end

  it 'uses no proxy' do
    daemon = daemon(202)
    before = ENV.to_h.slice('http_proxy')
    ENV['http_proxy'] = 'http://127.0.0.1:1'
    socket.store(document)
    expect(daemon.requests.size).to eq(1)
  ensure
    ENV.delete('http_proxy')
    ENV.update(before)
  end
end
