# frozen_string_literal: true

require 'spec_helper'

RSpec.describe 'trigger' do
  let(:node) { 'Web01.example.com' }
  let(:facts) { { 'os' => { 'family' => 'Debian' } } }
  let(:configuration) { catalogue.resource('File', '/etc/triggerd/triggerd.toml')[:content] }
  let(:client) { JSON.parse(catalogue.resource('File', '/etc/triggerd/client.json')[:content]) }

  context 'with its defaults' do
    it { is_expected.to compile.with_all_deps }
    it { is_expected.to contain_class('trigger::install').that_comes_before('Class[trigger::config]') }
    it { is_expected.to contain_class('trigger::config').that_comes_before('Class[trigger::service]') }
    it { is_expected.to contain_group('triggerd').with(ensure: 'present', system: true) }
    it { is_expected.not_to contain_package('triggerd') }

    it 'does not watch for firings' do
      expect(configuration).to match(/^name = "web01.example.com"$/).and match(/^\[watch\]\nenabled = false\n\z/)
    end

    it 'runs the service, and again when the configuration changes' do
      is_expected.to contain_service('triggerd').with(ensure: 'running', enable: true, provider: nil)
                                                .that_subscribes_to('File[/etc/triggerd/triggerd.toml]')
    end
  end

  context 'with an embedded etcd' do
    let(:etcd) { { 'embedded' => true, 'embedded_port' => 12_379 } }
    let(:params) { { 'settings' => { 'etcd' => etcd }, 'state_dir' => '/srv/t' } }

    it 'lets the type find the certificates beside the spool' do
      expect(configuration).to match(/^embedded = true$/)
      expect(client).to include('endpoints' => ['http://127.0.0.1:12379'], 'spool' => '/srv/t/spool')
      expect(client).not_to include('ca_file')
    end

    context 'and a spool elsewhere' do
      let(:params) { super().merge('settings' => { 'etcd' => etcd, 'node' => { 'spool' => '/srv/spool' } }) }

      it 'names the certificates for the type' do
        expect(client).to include('endpoints' => ['https://127.0.0.1:12379'], 'ca_file' => '/srv/t/etcd/tls/ca.pem',
                                  'cert_file' => '/srv/t/etcd/tls/client.pem', 'key_file' => '/srv/t/etcd/tls/client.pem')
      end

      it 'uses the port of the endpoint if none is given' do
        etcd.delete('embedded_port')
        expect(client['endpoints']).to eq(['https://127.0.0.1:2379'])
      end

      it 'uses etcd’s default port if the endpoint has none' do
        etcd.replace('embedded' => true, 'endpoints' => ['http://localhost'])
        expect(client['endpoints']).to eq(['https://127.0.0.1:2379'])
      end
    end
  end

  context 'with a package file' do
    let(:params) { { 'package_source' => '/srv/triggerd.deb' } }

    it { is_expected.to contain_package('triggerd').with(ensure: 'latest', provider: 'dpkg', source: '/srv/triggerd.deb') }
    it { is_expected.to contain_package('triggerd').that_comes_before('File[/etc/triggerd/triggerd.toml]') }

    context 'of a given version' do
      let(:params) { super().merge('package_ensure' => '0.1.0') }

      it { is_expected.to contain_package('triggerd').with_ensure('0.1.0') }
    end

    context 'on a RedHat' do
      let(:facts) { { 'os' => { 'family' => 'RedHat' } } }

      it { is_expected.to contain_package('triggerd').with_provider('rpm') }
    end

    context 'that something else installs' do
      let(:params) { super().merge('manage_package' => false) }

      it { is_expected.not_to contain_package('triggerd') }
    end
  end

  context 'with a package from a URL' do
    let(:sum) { 'a' * 64 }
    let(:params) { { 'package_source' => 'https://files.example.com/triggerd.deb', 'package_checksum' => sum } }

    it 'fetches the package with its checksum, and installs it from the cache' do
      is_expected.to contain_file('/var/cache/triggerd/triggerd.package')
        .with(source: 'https://files.example.com/triggerd.deb', checksum: 'sha256', checksum_value: sum)
        .that_comes_before('Package[triggerd]')
      is_expected.to contain_package('triggerd').with_source('/var/cache/triggerd/triggerd.package')
    end
  end

  context 'with a package from the Puppet server' do
    let(:params) { { 'package_source' => 'puppet:///modules/profile/triggerd.deb' } }

    it 'fetches the package without a checksum, and installs it from the cache' do
      is_expected.to contain_file('/var/cache/triggerd/triggerd.package')
        .with(source: 'puppet:///modules/profile/triggerd.deb', checksum_value: nil)
        .that_comes_before('Package[triggerd]')
      is_expected.to contain_package('triggerd').with_source('/var/cache/triggerd/triggerd.package')
    end
  end

  context 'with the package of its repositories' do
    let(:params) { { 'manage_package' => true, 'package_ensure' => 'latest' } }

    it { is_expected.to contain_package('triggerd').with(ensure: 'latest', provider: nil, source: nil) }
  end

  context 'with secret settings' do
    let(:params) { { 'settings' => sensitive('main' => { 'team' => 'a', 'secret' => 'hidden word' }) } }

    it 'keeps the secret out of logs, reports and the reach of other users' do
      is_expected.to contain_file('/etc/triggerd/triggerd.toml').with(group: 'triggerd', mode: '0640', show_diff: false)
      expect(catalogue.resource('File', '/etc/triggerd/triggerd.toml').sensitive_parameters).to eq([:content])
      expect(configuration).to match(/^secret = "hidden word"$/)
    end
  end

  [["class { 'trigger': endpoints => ['http://a:1', 'http://b:1'], keyprefix => '/p', settings => { 'jobs' => { 'grace' => '2s' } } }",
    "class { 'trigger::watch::etcd': node_name => 'lb01', run_cmd => 'true', endpoints => ['http://c:1'], settings => { 'jobs' => { 'max_attempts' => 2 } } }"],
   ["class { 'trigger': endpoints => ['http://c:1'], keyprefix => '/p', trigger_hostname => 'lb01', settings => { 'jobs' => { 'grace' => '2s', 'max_attempts' => 2 } } }",
    "class { 'trigger::watch::etcd': run_cmd => 'true' }"]].each do |manifests|
    context "together with #{manifests.last[0, 60]}…" do
      let(:pre_condition) { manifests.join("\n") }

      it 'writes one configuration' do
        expect(configuration).to match(/^name = "lb01"$/)
          .and match(%r{^\[etcd\]\nendpoints = \["http://c:1"\]\nprefix = "/p"\n})
          .and match(/^enabled = true\nrun_cmd = "true"\nallow = \["puppet"\]$/)
          .and match(/^\[jobs\]\ngrace = "2s"\nmax_attempts = 2$/)
        expect(client).to include('node' => 'lb01', 'endpoints' => ['http://c:1'], 'prefix' => '/p')
      end
    end
  end

  {
    'the parameter node_name' => { 'node_name' => 'Lb01' },
    'the earlier name of the parameter node_name' => { 'trigger_hostname' => 'Lb01' },
  }.each do |what, params|
    context "with #{what}" do
      let(:params) { params }

      it { expect(configuration).to match(/^name = "lb01"$/) }
      it { expect(client).to include('node' => 'lb01') }
    end
  end

  context 'when trigger has the earlier name of a parameter and trigger::watch::etcd the new one' do
    let(:pre_condition) { "class { 'trigger': trigger_hostname => 'a' }\nclass { 'trigger::watch::etcd': node_name => 'b' }" }

    it { expect(configuration).to match(/^name = "b"$/) }
  end

  context 'when the watcher is declared first' do
    let(:pre_condition) { "include trigger::watch::etcd\ninclude trigger" }

    it { expect(configuration).to match(/^enabled = true$/) }
  end

  context 'without managing service and directory' do
    let(:params) { { 'manage_service' => false, 'manage_config_dir' => false } }

    it 'writes only the two files' do
      expect(catalogue.resources.map(&:type) - %w[Class Stage]).to contain_exactly('Trigger::Files', 'File', 'File')
    end
  end

  digits = 'a' * 64
  {
    'both names of the parameter node_name' => [{ 'node_name' => 'a', 'trigger_hostname' => 'b' },
                                                /trigger: node_name and trigger_hostname are two names of one parameter/],
    'a URL without a checksum' => [{ 'package_source' => 'https://a/b.deb' }, /checksum is needed/],
    'a checksum without a URL' => [{ 'package_source' => '/b.deb', 'package_checksum' => digits }, /only for a package from a URL/],
    'a password in the URL' => [{ 'package_source' => 'https://u:hunter@a/b.deb', 'package_checksum' => digits },
                                /\A(?!.*hunter).*package_source: an address has no user and no password/m],
    'a password in an endpoint' => [{ 'endpoints' => ['http://a:1', 'http://u:hunter@a:1'] }, /\A(?!.*hunter).*endpoints: an address has no user/m],
    'a certificate without its key' => [{ 'cert_file' => '/c' }, /cert_file and key_file belong together/],
    'a password without a user' => [{ 'password_file' => '/p' }, /username and password_file belong together/],
    'settings without a section' => [{ 'settings' => { 'slots' => 1 } }, /settings/],
  }.each do |what, (params, message)|
    context "with #{what}" do
      let(:params) { params }

      it { is_expected.to compile.and_raise_error(message) }
    end
  end

  {
    'files of its own in the watcher' => ["include trigger\nclass { 'trigger::watch::etcd': service_name => 'x', manage_service => true }",
                                          /Give manage_service, service_name there/],
    'a watcher in a define' => ["define late { include trigger::watch::etcd }\ninclude trigger\nlate { 'x': }", /outside of defined types/],
  }.each do |what, (manifest, message)|
    context "with #{what}" do
      let(:pre_condition) { manifest }

      it { is_expected.to compile.and_raise_error(message) }
    end
  end
end
