# frozen_string_literal: true

require 'spec_helper'

RSpec.describe 'trigger::install::etcd' do
  let(:node) { 'etcd1.example.com' }
  let(:facts) { { 'os' => { 'family' => 'Debian' } } }
  # What etcd would find in its environment.
  let(:etcd_environment) do
    path = catalogue.resource('Class', 'trigger::install::etcd')[:config_file]
    catalogue.resource('File', path)[:content].scan(/^ETCD_(\w+)="(.*)"$/).to_h
  end

  let(:files) { { 'ca_file' => '/a', 'cert_file' => '/b', 'key_file' => '/c' } }

  context 'without the parameter tls' do
    it 'fails the catalog and says what to write for each purpose' do
      is_expected.to compile.and_raise_error(
        %r{tls is needed.*tls => 'puppet'.*begin with https.*tls => 'none' .*as before.*'embedded' => true, 'embedded_port' => 12379.*docs/how-to/etcd\.md},
      )
    end

    context 'as a member of a cluster' do
      let(:params) { { 'members' => { 'etcd1.example.com' => 'http://etcd1.example.com:2380' } } }

      it { is_expected.to compile.and_raise_error(/tls is needed/) }
    end
  end

  context "with tls => 'none'" do
    let(:params) { { 'tls' => 'none' } }
    let(:logs) { [] }

    it { is_expected.to compile.with_all_deps }
    it { is_expected.to contain_package('etcd-server').with(ensure: 'installed', provider: nil, source: nil) }
    it { is_expected.to contain_package('etcd-client') }
    it { is_expected.to contain_file('/var/lib/etcd/default').with(ensure: 'directory', owner: 'etcd', mode: '0700') }
    it { is_expected.to contain_file('/etc/systemd/system/etcd.service.d/trigger.conf').with_ensure('absent') }

    it 'warns' do
      destination = Puppet::Test::LogCollector.new(logs)
      Puppet::Util::Log.newdestination(destination)
      catalogue
      expect(logs.map(&:message)).to include(/on etcd1.example.com etcd is open to every local account/)
    ensure
      Puppet::Util::Log.close(destination)
    end

    it 'writes the same environment as before tls was required' do
      expect(etcd_environment).to eq(
        'NAME' => 'etcd1.example.com', 'DATA_DIR' => '/var/lib/etcd/default',
        'LISTEN_CLIENT_URLS' => 'http://127.0.0.1:2379', 'ADVERTISE_CLIENT_URLS' => 'http://127.0.0.1:2379',
        'LISTEN_PEER_URLS' => 'http://127.0.0.1:2380', 'INITIAL_ADVERTISE_PEER_URLS' => 'http://127.0.0.1:2380',
        'INITIAL_CLUSTER' => 'etcd1.example.com=http://127.0.0.1:2380',
        'ENABLE_GRPC_GATEWAY' => 'true', 'AUTO_COMPACTION_MODE' => 'periodic', 'AUTO_COMPACTION_RETENTION' => '1h'
      )
    end

    it 'writes the environment before the package, and restarts etcd after a change' do
      is_expected.to contain_file('/etc/default/etcd').that_comes_before('Package[etcd-server]').that_notifies('Service[etcd]')
      is_expected.to contain_service('etcd').with(ensure: 'running', enable: true).that_requires('Package[etcd-server]')
    end
  end

  context 'alone, with TLS' do
    let(:params) { { 'tls' => files } }

    it 'has no open port, not even for peers' do
      expect(etcd_environment).to include(
        'LISTEN_CLIENT_URLS' => 'https://127.0.0.1:2379', 'CLIENT_CERT_AUTH' => 'true', 'TRUSTED_CA_FILE' => '/etc/etcd/tls/ca.pem',
        'LISTEN_PEER_URLS' => 'https://127.0.0.1:2380', 'INITIAL_CLUSTER' => 'etcd1.example.com=https://127.0.0.1:2380',
        'PEER_CLIENT_CERT_AUTH' => 'true', 'PEER_TRUSTED_CA_FILE' => '/etc/etcd/tls/ca.pem', 'PEER_KEY_FILE' => '/etc/etcd/tls/key.pem'
      )
      expect(etcd_environment.values.join).not_to include('http:')
    end
  end

  context 'with a network, a package file and settings' do
    let(:params) do
      { 'tls' => files, 'listen_address' => '192.168.50.11', 'client_port' => 12_379, 'package_source' => '/srv/etcd.deb', 'data_dir' => '/srv/etcd',
        'enable_grpc_gateway' => false, 'settings' => { 'quota-backend-bytes' => 4_294_967_296, 'auto-compaction-retention' => '2h' } }
    end

    it { is_expected.to contain_package('etcd-server').with(ensure: 'latest', provider: 'dpkg', source: '/srv/etcd.deb') }
    it { is_expected.not_to contain_package('etcd-client') }
    it { is_expected.to contain_file('/srv/etcd').with_owner('etcd') }

    it 'listens on that network too' do
      expect(etcd_environment).to include(
        'LISTEN_CLIENT_URLS' => 'https://127.0.0.1:12379,https://192.168.50.11:12379',
        'ADVERTISE_CLIENT_URLS' => 'https://etcd1.example.com:12379', 'ENABLE_GRPC_GATEWAY' => 'false',
        'QUOTA_BACKEND_BYTES' => '4294967296', 'AUTO_COMPACTION_RETENTION' => '2h'
      )
    end
  end

  context 'with IPv6' do
    let(:params) { { 'tls' => 'none', 'listen_address' => 'fd00::1', 'advertise_host' => 'etcd.example.com' } }

    it 'writes addresses in brackets' do
      expect(etcd_environment).to include('LISTEN_CLIENT_URLS' => 'http://127.0.0.1:2379,http://[fd00::1]:2379',
                                          'ADVERTISE_CLIENT_URLS' => 'http://etcd.example.com:2379')
    end
  end

  context 'as a member of a cluster' do
    let(:params) { { 'tls' => 'none', 'members' => (1..3).to_h { |n| ["etcd#{n}.example.com", "http://etcd#{n}.example.com:2380"] } } }

    it { is_expected.to compile.with_all_deps }
    it { is_expected.to contain_file('/var/lib/etcd/trigger').with_ensure('directory') }

    it 'lists its peers' do
      expect(etcd_environment).to include(
        'NAME' => 'etcd1.example.com', 'LISTEN_CLIENT_URLS' => 'http://0.0.0.0:2379', 'LISTEN_PEER_URLS' => 'http://0.0.0.0:2380',
        'ADVERTISE_CLIENT_URLS' => 'http://etcd1.example.com:2379', 'INITIAL_ADVERTISE_PEER_URLS' => 'http://etcd1.example.com:2380',
        'INITIAL_CLUSTER' => (1..3).map { |n| "etcd#{n}.example.com=http://etcd#{n}.example.com:2380" }.join(','),
        'INITIAL_CLUSTER_TOKEN' => 'trigger', 'INITIAL_CLUSTER_STATE' => 'new', 'DATA_DIR' => '/var/lib/etcd/trigger'
      )
    end

    it 'does not wait for the peers' do
      is_expected.to contain_file('/etc/systemd/system/etcd.service.d/trigger.conf')
        .with(ensure: 'file', source: 'puppet:///modules/trigger/etcd-member.conf')
        .that_comes_before('Package[etcd-server]').that_notifies('Service[etcd]')
      is_expected.to contain_exec('trigger::install::etcd: systemctl daemon-reload')
        .that_subscribes_to('File[/etc/systemd/system/etcd.service.d/trigger.conf]').that_comes_before('Service[etcd]')
    end

    context 'with addresses and another member name' do
      let(:params) { { 'tls' => 'none', 'members' => { 'a' => 'http://192.168.50.11:2380', 'b' => 'http://[fd00::2]:2390' }, 'member_name' => 'b' } }

      it 'listens on its peer address' do
        expect(etcd_environment).to include('LISTEN_PEER_URLS' => 'http://[fd00::2]:2390', 'ADVERTISE_CLIENT_URLS' => 'http://[fd00::2]:2379')
      end
    end

    context 'with TLS by Puppet' do
      let(:params) { super().merge('tls' => 'puppet', 'members' => { 'etcd1.example.com' => 'https://etcd1.example.com:2380' }) }
      let(:facts) { super().merge('trigger' => { 'certificate' => { 'ca_file' => '/p/ca.pem', 'cert_file' => '/p/c.pem', 'key_file' => '/p/k.pem' } }) }

      it 'copies the node’s certificate for etcd, and keeps it out of the catalog' do
        is_expected.to contain_file('/etc/etcd/tls/key.pem').with(source: '/p/k.pem', mode: '0640', group: 'etcd', show_diff: false, content: nil)
        is_expected.to contain_file('/etc/etcd/tls').that_requires('Package[etcd-server]')
        is_expected.to contain_file('/etc/etcd/tls/cert.pem').that_notifies('Service[etcd]')
        expect(etcd_environment).to include(
          'LISTEN_CLIENT_URLS' => 'https://0.0.0.0:2379', 'LISTEN_PEER_URLS' => 'https://0.0.0.0:2380', 'CLIENT_CERT_AUTH' => 'true',
          'CERT_FILE' => '/etc/etcd/tls/cert.pem', 'PEER_KEY_FILE' => '/etc/etcd/tls/key.pem', 'PEER_CLIENT_CERT_AUTH' => 'true',
          'TRUSTED_CA_FILE' => '/etc/etcd/tls/ca.pem', 'PEER_TRUSTED_CA_FILE' => '/etc/etcd/tls/ca.pem'
        )
      end
    end
  end

  context 'with TLS by files, for clients without certificates' do
    let(:params) { { 'client_cert_auth' => false, 'tls' => files } }

    it { is_expected.to contain_file('/etc/etcd/tls/ca.pem').with_source('/a') }
    it { expect(etcd_environment).to include('CLIENT_CERT_AUTH' => 'false', 'LISTEN_CLIENT_URLS' => 'https://127.0.0.1:2379') }
  end

  context 'on a RedHat' do
    let(:facts) { { 'os' => { 'family' => 'RedHat' } } }
    let(:params) { { 'tls' => files } }

    it { is_expected.to compile.with_all_deps }
    it { is_expected.to contain_package('etcd') }
    it { is_expected.to contain_file('/etc/etcd/etcd.conf').that_requires('File[/etc/etcd]') }
  end

  context 'without managing package and service' do
    let(:params) { { 'tls' => files, 'manage_package' => false, 'manage_service' => false } }

    it { is_expected.not_to contain_package('etcd-server') }
    it { is_expected.not_to contain_service('etcd') }
  end

  context 'together with the daemon, both from URLs' do
    let(:pre_condition) { "class { 'trigger': package_source => 'https://a/t.deb', package_checksum => '#{'a' * 64}' }" }
    let(:params) { { 'tls' => files, 'package_source' => 'https://a/e.deb', 'package_checksum' => 'b' * 64 } }

    it { is_expected.to compile.with_all_deps }
    it { is_expected.to contain_file('/var/cache/triggerd/etcd-server.package').with_checksum_value('b' * 64) }
  end

  {
    'none of the members' => [{ 'members' => { 'a' => 'http://a:2380' } }, /etcd1.example.com is not among the members a\./],
    'members without their ports' => [{ 'members' => { 'etcd1.example.com' => 'http://etcd1.example.com' } }, /members/],
    'a password in a member' => [{ 'members' => { 'etcd1.example.com' => 'http://u:hunter@a:2380' } }, /\A(?!.*hunter).*members: an address has no user/m],
    'a password in the URL' => [{ 'package_source' => 'https://u:hunter@a/b.deb' }, /\A(?!.*hunter).*package_source: an address has no user/m],
    'members in clear, and TLS' => [{ 'members' => { 'etcd1.example.com' => 'http://a:2380' },
                                      'tls' => { 'ca_file' => '/a', 'cert_file' => '/b', 'key_file' => '/c' } }, /begin with https, or with http if tls is none/],
    'members with TLS, and none' => [{ 'tls' => 'none', 'members' => { 'etcd1.example.com' => 'https://a:2380' } }, /begin with https, or with http if tls is none/],
    'no Puppet certificate' => [{ 'tls' => 'puppet' }, /no Puppet certificate/],
    'a line break in a setting' => [{ 'settings' => { 'log-level' => "info\nX" } }, /settings/],
    'a token that is a path' => [{ 'cluster_token' => '../x' }, /cluster_token/],
    'a host name to listen on' => [{ 'listen_address' => 'etcd1' }, /listen_address/],
  }.each do |what, (params, message)|
    context "with #{what}" do
      let(:params) { params }

      it { is_expected.to compile.and_raise_error(message) }
    end
  end
end
