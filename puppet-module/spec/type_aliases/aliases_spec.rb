# frozen_string_literal: true

require 'spec_helper'

{
  'Trigger::Hostname' => [%w[lb01 LB01.example.com _a-b.c], ['', 'a b', '-a', 'a-', 'a..b', "a\n", 'a' * 64]],
  'Trigger::Endpoint' => [Fixtures.addresses['url']['valid'].map { |entry| entry['given'] },
                          Fixtures.addresses['url']['invalid'].map { |entry| entry['given'] }],
  'Trigger::Keyprefix' => [%w[/trigger /a/b.c], ['', '/', 'a', '/a/', '/a b', "/a\n"]],
  'Trigger::Plugin' => [%w[puppet command/command a.b ..a], ['', '/a', 'a/', '..', 'a/../b', 'a b', "a\n"]],
  'Trigger::Url' => [%w[http://a/b.deb https://[::1]:1/b], ['', 'ftp://a/b', 'https://u:p@a/b', 'https://a', "https://a/b\n", 'https://a/b c']],
  'Trigger::Served' => [%w[puppet:///modules/a/b.deb puppet://a/modules/b/c], ['', 'puppet:///', 'puppet://u:p@a/b', "puppet:///a\n", 'puppet:/a']],
  'Trigger::Source' => [%w[/b.deb https://a/b.deb puppet:///modules/a/b.deb], ['', 'b.deb', 'ftp://a/b.deb']],
  'Trigger::Sha256' => [['0a' * 32], ['', 'a' * 63, 'A' * 64, "#{'a' * 64}\n"]],
  'Trigger::Settings' => [[{}, { 'jobs' => { 'grace' => '2s' } }], ['', { 'jobs' => 1 }, { '' => {} }]],
  'Trigger::Address' => [%w[127.0.0.1 0.0.0.0 :: fd00::1 ::ffff:10.0.0.1], ['', 'localhost', '1.2.3', 'a', '[::1]', "::1\n"]],
  'Trigger::Etcd::PeerUrl' => [%w[http://a:2380 https://[::1]:1], ['', 'http://a', 'http://a:1/', 'http://a:1,b=http://b:1', "http://a:1\n"]],
  'Trigger::Etcd::Members' => [[{}, { 'a' => 'http://a:2380' }], ['', { 'a=b' => 'http://a:2380' }, { 'a' => 'a' }]],
  'Trigger::Etcd::Tls' => [['none', 'puppet', { 'ca_file' => '/a', 'cert_file' => '/b', 'key_file' => '/c' }],
                           ['', 'yes', {}, { 'ca_file' => '/a', 'cert_file' => '/b' }]],
  'Trigger::Etcd::Settings' => [[{}, { 'quota-backend-bytes' => 1, 'pre-vote' => true, 'log-level' => 'info' }],
                                ['', { '--x' => 1 }, { 'X' => 1 }, { 'x' => "a\nb" }, { 'x' => 'a"b' }, { 'x' => '$a' }, { 'x' => [] }]],
  'Trigger::Path' => [['/a', '/a b/c'], ['', '/', 'a', '//a', "/a\nb"]],
}.each do |name, (good, bad)|
  RSpec.describe name, type: :type_alias do
    it { is_expected.to allow_values(*good) }

    bad.each do |value|
      it { is_expected.not_to allow_value(value) }
    end
  end
end
