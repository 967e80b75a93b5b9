# frozen_string_literal: true

require 'spec_helper'

RSpec.describe 'trigger::watch::etcd' do
  let(:node) { 'LB01.example.com' }
  let(:facts) { { 'os' => { 'family' => 'Debian' } } }

  context 'with its defaults' do
    it { is_expected.to compile.with_all_deps }
    it { is_expected.to contain_file('/etc/triggerd').with(ensure: 'directory', owner: 'root', mode: '0755') }

    it 'writes the configuration of the daemon' do
      is_expected.to contain_file('/etc/triggerd/triggerd.toml').with(owner: 'root', mode: '0644').with_content(<<~TOML)
        # Written by Puppet (class trigger); changes made here are lost.

        [node]
        name = "lb01.example.com"
        state_dir = "/var/lib/triggerd"
        socket = "/run/triggerd/triggerd.sock"

        [etcd]
        endpoints = ["http://127.0.0.1:2379"]
        prefix = "/trigger"

        [watch]
        enabled = true
        run_cmd = "puppet agent --test"
        allow = ["puppet"]
      TOML
    end

    it 'writes the settings of the type' do
      is_expected.to contain_file('/etc/triggerd/client.json').with_content(<<~JSON)
        {
          "endpoints": [
            "http://127.0.0.1:2379"
          ],
          "prefix": "/trigger",
          "node": "lb01.example.com",
          "spool": "/var/lib/triggerd/spool",
          "socket": "/run/triggerd/triggerd.sock"
        }
      JSON
    end

    it 'runs the service, and again when the configuration changes' do
      is_expected.to contain_service('triggerd').with(ensure: 'running', enable: true, provider: nil)
                                                .that_subscribes_to('File[/etc/triggerd/triggerd.toml]')
    end
  end

  context 'with TLS, a user, another name and a command with quotes' do
    let(:params) do
      { 'node_name' => 'Web.example.com', 'run_cmd' => %(sh -c "echo 'ü' \\ \t"), 'endpoints' => ['https://[::1]:2379'],
        'ca_file' => '/c/ca.pem', 'cert_file' => '/c/c.pem', 'key_file' => '/c/k.pem', 'username' => 'u', 'password_file' => '/c/p',
        'settings' => { 'watch' => { 'enabled' => false }, 'queues' => { 'default' => { 'slots' => 2 } } } }
    end

    it 'escapes values and merges settings' do
      is_expected.to contain_file('/etc/triggerd/triggerd.toml').with_content(
        %r{^\[etcd\]\nendpoints = \["https://\[::1\]:2379"\]\nprefix = "/trigger"\nca_file = "/c/ca.pem"\ncert_file = "/c/c.pem"\nkey_file = "/c/k.pem"\nusername = "u"\npassword_file = "/c/p"\n},
      ).with_content(/^enabled = false\nrun_cmd = "sh -c \\"echo 'ü' \\\\ \\t\\""$/).with_content(/\n\[queues\.default\]\nslots = 2\n\z/)
    end

    it 'gives the type the same access to etcd' do
      content = catalogue.resource('File', '/etc/triggerd/client.json')[:content]
      expect(JSON.parse(content)).to include('node' => 'web.example.com', 'username' => 'u', 'password_file' => '/c/p', 'ca_file' => '/c/ca.pem')
    end

    it 'tells the type the daemon’s spool and socket, from parameters or settings' do
      params['settings'] = { 'node' => { 'spool' => '/fast/spool', 'socket' => '/run/t.sock' } }
      content = JSON.parse(catalogue.resource('File', '/etc/triggerd/client.json')[:content])
      expect(content.values_at('spool', 'socket')).to eq(%w[/fast/spool /run/t.sock])
    end

    it 'writes only keys that the type knows' do
      require 'puppet_x/trigger/client_settings'
      content = JSON.parse(catalogue.resource('File', '/etc/triggerd/client.json')[:content])
      expect(PuppetX::Trigger::ClientSettings.new('x', content).node).to eq('web.example.com')
    end
  end

  context 'with the earlier name of the parameter node_name' do
    let(:params) { { 'trigger_hostname' => 'Web.example.com' } }

    it { is_expected.to contain_file('/etc/triggerd/triggerd.toml').with_content(/^name = "web.example.com"$/) }
  end

  context 'on a node without a Puppet server' do
    let(:params) { { 'run_cmd' => 'puppet apply manifest.pp' } }

    it 'completes a relative manifest with the codedir, because jobs run in /' do
      codedir = Puppet[:codedir]
      expect(codedir).to start_with('/')
      is_expected.to contain_file('/etc/triggerd/triggerd.toml').with_content(%r{^run_cmd = "puppet apply #{Regexp.escape(codedir)}/manifest.pp"$})
    end
  end

  context 'on a node that has no triggerd' do
    let(:facts) { super().merge('trigger' => { 'node' => 'lb01', 'running' => false }) }
    let(:warned) { contain_notify('trigger: triggerd is not installed') }

    it 'warns that nothing installs triggerd, before the service fails' do
      is_expected.to warned.with_loglevel('warning').with_message(/cannot start\. Set trigger::package_source\. If .* set trigger::manage_package to true/)
                           .that_comes_before('Service[triggerd]')
    end

    [{ 'manage_package' => true }, { 'package_source' => '/srv/triggerd.deb' }].each do |own|
      context "with #{own.keys.first}" do
        let(:params) { own }

        it { is_expected.to contain_package('triggerd') }
        it { is_expected.not_to warned }
      end
    end

    context 'if something else installs triggerd' do
      let(:pre_condition) { "package { 'triggerd': }" }

      it { is_expected.not_to warned }
    end

    context 'if the class does not manage the service' do
      let(:params) { { 'manage_service' => false } }

      it { is_expected.not_to warned }
    end

    context 'that was installed later' do
      let(:facts) { super().merge('trigger' => { 'node' => 'lb01', 'version' => '0.1.0', 'running' => false }) }

      it { is_expected.not_to warned }
    end
  end

  context 'without managing the service and the directory' do
    let(:params) { { 'manage_service' => false, 'manage_config_dir' => false } }

    it { is_expected.not_to contain_service('triggerd') }
    it { is_expected.not_to contain_file('/etc/triggerd') }
  end

  context 'with two directories and another service' do
    let(:params) do
      { 'client_file' => '/opt/c.json', 'service_name' => 'trg', 'service_ensure' => 'stopped', 'service_enable' => false,
        'service_provider' => 'systemd' }
    end

    it { is_expected.to contain_file('/opt').with_ensure('directory') }
    it { is_expected.to contain_service('trg').with(ensure: 'stopped', enable: false, provider: 'systemd') }
  end

  {
    'a certificate without its key' => [{ 'cert_file' => '/c' }, /cert_file and key_file belong together/],
    'a user without a password' => [{ 'username' => 'u' }, /username and password_file belong together/],
    'no endpoint' => [{ 'endpoints' => [] }, /endpoints/],
    'a password in the URL of the package' => [{ 'package_source' => 'https://u:hunter@a/b.deb', 'package_checksum' => 'a' * 64 },
                                               /\A(?!.*hunter).*package_source: an address has no user/m],
    'a password in an endpoint' => [{ 'endpoints' => ['http://u:hunter@a:1'] }, /\A(?!.*hunter).*endpoints: an address has no user/m],
    'a node name that is no host name' => [{ 'node_name' => 'lb 01' }, /node_name/],
    'an earlier node name that is no host name' => [{ 'trigger_hostname' => 'lb 01' }, /trigger_hostname/],
    'both names of the parameter node_name' => [{ 'node_name' => 'lb01', 'trigger_hostname' => 'lb01' },
                                                /trigger::watch::etcd: node_name and trigger_hostname are two names of one parameter/],
    'a relative path' => [{ 'config_file' => 'triggerd.toml' }, /config_file/],
    'a relative program' => [{ 'run_cmd' => './run.sh' }, %r{relative path “./run.sh”, and jobs run in /}],
    'a relative module path' => [{ 'run_cmd' => 'puppet apply --modulepath=/a:b m.pp' }, /relative path “b”/],
    'a plugin outside its folder' => [{ 'allow' => ['../sh'] }, /allow/],
  }.each do |what, (params, message)|
    context "with #{what}" do
      let(:params) { params }

      it { is_expected.to compile.and_raise_error(message) }
    end
  end
end
