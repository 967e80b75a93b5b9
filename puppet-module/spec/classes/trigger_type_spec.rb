# frozen_string_literal: true

require 'spec_helper'

# What a catalog with triggers looks like to the people who test their own manifests.
RSpec.describe 'a manifest with a trigger' do
  include RSpec::Puppet::HostExampleGroup

  let(:node) { 'web01.example.com' }
  let(:notifier) { "file { '/etc/app.conf': notify => Trigger['t'] }" }

  context 'with valid hosts' do
    let(:pre_condition) { "#{notifier} trigger { 't': hosts => ['lb01.example.com'], provider => 'etcd' }" }

    it { is_expected.to compile.with_all_deps }
    it { is_expected.to contain_trigger('t').that_subscribes_to('File[/etc/app.conf]') }
  end

  context 'with an invalid host' do
    let(:pre_condition) { "#{notifier} trigger { 't': hosts => ['lb01 example'] }" }

    it { is_expected.to compile.and_raise_error(/"lb01 example" in hosts is not a host name/) }
  end
end
