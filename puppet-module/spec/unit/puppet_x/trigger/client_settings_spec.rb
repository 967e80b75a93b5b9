# frozen_string_literal: true

require 'spec_helper'
require 'puppet_x/trigger/client_settings'

RSpec.describe PuppetX::Trigger::ClientSettings do
  def load(values, overrides = {})
    use_client_json(values)
    described_class.load(overrides)
  end

  it 'has defaults without a file' do
    settings = described_class.new('/nowhere', {})
    expect([settings.endpoints, settings.prefix]).to eq([['http://127.0.0.1:2379'], '/trigger'])
  end

  it 'reads the file' do
    settings = load('endpoints' => 'https://a:1', 'prefix' => '/x/', 'node' => 'web01', 'spool' => '/s', 'ca_file' => nil)
    expect([settings.endpoints, settings.prefix, settings.node, settings.ca_file]).to eq([['https://a:1'], '/x', 'web01', nil])
  end

  it 'lets the manifest override the file' do
    settings = load({ 'endpoints' => ['http://a:1'], 'prefix' => '/x' }, 'endpoints' => ['http://b:1'], 'prefix' => nil)
    expect([settings.endpoints, settings.prefix]).to eq([['http://b:1'], '/x'])
  end

  {
    'an unknown key' => [{ 'endpoint' => 'x' }, /unknown key 'endpoint'; known keys: endpoints, prefix/],
    'broken JSON' => ['{ "endpoints": ', /is not valid JSON/],
    'bytes that are no text' => ["{\"node\": \"\xff\"}", /is not valid JSON|UTF-8/],
    'something else than an object' => ['[]', /one JSON object/],
    'a value of the wrong kind' => [{ 'ca_file' => 1 }, /ca_file must be a string/],
    'a bad endpoint' => [{ 'endpoints' => ['etcd'] }, /must look like https/],
    'a bad prefix' => [{ 'prefix' => 'x' }, /must be a path/],
  }.each do |what, (content, message)|
    it "says which file has #{what}" do
      expect { load(content) }.to raise_error(PuppetX::Trigger::SettingsError, message) do |error|
        expect(error.message).to include(ENV.fetch('TRIGGERD_CLIENT_JSON'))
      end
    end
  end

  describe 'beside a daemon with an embedded etcd' do
    let(:folder) { scratch_dir }
    let(:its_way) { [embedded['endpoints'], '/e/ca.pem', '/e/c.pem', '/e/c.pem'] }
    let(:embedded) do
      { 'endpoints' => ['https://127.0.0.1:2379'], 'ca_file' => '/e/ca.pem', 'cert_file' => '/e/c.pem', 'key_file' => '/e/c.pem',
        'prefix' => '/x', 'node' => 'lb01', 'spool' => "#{folder}/spool", 'socket' => '/s' }
    end

    before do
      Dir.mkdir("#{folder}/etcd")
      File.write("#{folder}/etcd/client.json", JSON.generate(embedded))
    end

    def way(settings)
      [settings.endpoints, settings.ca_file, settings.cert_file, settings.key_file]
    end

    it 'uses that etcd and the node’s name without client.json' do
      stub_const("#{described_class}::DEFAULT_PATH", '/nowhere')
      stub_const("#{described_class}::DEFAULTS", described_class::DEFAULTS.merge('spool' => "#{folder}/spool"))
      before = ENV.delete('TRIGGERD_CLIENT_JSON')
      settings = described_class.load
      expect([way(settings), settings.prefix, settings.node, settings.socket]).to eq([its_way, '/x', 'lb01', '/s'])
      expect(way(described_class.load('endpoints' => ['http://etcd:2379']))).to eq([['http://etcd:2379'], nil, nil, nil])
    ensure
      ENV['TRIGGERD_CLIENT_JSON'] = before
    end

    ['http://127.0.0.1:2379', 'http://localhost:2379', 'https://localhost:2379', nil].each do |written|
      it "uses that etcd if #{written || 'nothing'} is configured" do
        expect(way(load('spool' => "#{folder}/spool", 'endpoints' => written))).to eq(its_way)
      end
    end

    it 'uses that etcd if a manifest names it without TLS' do
      expect(way(load({ 'spool' => "#{folder}/spool", 'endpoints' => 'http://a:1' }, 'endpoints' => ['http://127.0.0.1:2379']))).to eq(its_way)
    end

    it 'uses another etcd if one is configured, or certificates are' do
      ['http://127.0.0.1:2380', 'http://a:2379', ['http://127.0.0.1:2379', 'http://a:2379']].each do |other|
        expect(way(load('spool' => "#{folder}/spool", 'endpoints' => other))).to eq([[other].flatten, nil, nil, nil])
      end
      own = { 'spool' => "#{folder}/spool", 'endpoints' => 'https://127.0.0.1:2379', 'ca_file' => '/ca' }
      expect(way(load(own))).to eq([['https://127.0.0.1:2379'], '/ca', nil, nil])
    end

    it 'believes no file that others can write' do
      File.chmod(0o666, "#{folder}/etcd/client.json")
      expect(way(load('spool' => "#{folder}/spool"))).to eq([['http://127.0.0.1:2379'], nil, nil, nil])
    end
  end

  it 'reports a missing file that is named explicitly' do
    use_client_json({})
    File.delete(ENV.fetch('TRIGGERD_CLIENT_JSON'))
    expect { described_class.load }.to raise_error(PuppetX::Trigger::SettingsError, /No such file/)
  end

  describe '#password' do
    it 'is the content of the file without the line feed' do
      file = client_json("open sesame\n")
      expect(load('username' => 'u', 'password_file' => file).password).to eq('open sesame')
    end

    it 'says which file is missing' do
      expect { load('username' => 'u', 'password_file' => '/nowhere').password }
        .to raise_error(PuppetX::Trigger::SettingsError, %r{password_file.*/nowhere})
    end

    it 'requires the file if there is a user' do
      expect { load('username' => 'u').password }.to raise_error(PuppetX::Trigger::SettingsError, /needs password_file/)
    end
  end
end
