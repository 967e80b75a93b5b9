# frozen_string_literal: true

require 'spec_helper'
require 'securerandom'

# Runs that skip, fail or end before the trigger's turn. Each is strict: spec/support/puppet_run.rb.
RSpec.describe 'a run of Puppet' do
  let(:etcd) { EtcdServer.shared }
  let(:prefix) { "/o#{SecureRandom.hex(4)}" }
  let(:folder) { scratch_dir }
  let(:changed) { "file { '#{folder}/f': content => 'x', tag => 'app', notify => Trigger['t'] }" }

  def apply(manifest, *flags)
    env = { 'TRIGGERD_CLIENT_JSON' => client_json(endpoints: [etcd.url], prefix: prefix, spool: spool_path) }
    PuppetRun.apply(manifest, *flags, folder: folder, env: env)
  end

  def fired
    etcd.documents("#{prefix}/v1/firings").values.map { |firing| firing['trigger'] }
  end

  def expect_nothing_published
    expect([etcd.keys(prefix), spooled]).to eq([{}, []])
  end

  # What an operator does not ask for is not done, and what would have notified it is gone.
  it 'with tags fires a trigger that has one of them once, and no other trigger' do
    manifest = "#{changed} trigger { 't': hosts => 'lb01', tag => 'lb' } trigger { 'asked for': hosts => 'lb01', tag => 'app', subscribe => File['#{folder}/f'] }"
    expect([apply(manifest, '--tags', 'app').exit_code, apply(manifest, '--tags', 'app').exit_code]).to eq([2, 0])
    expect(fired).to eq(['asked for'])
  end

  it 'fires a trigger inside its schedule, and none outside of it' do
    now = Time.now.hour
    run = apply(<<~PUPPET)
      schedule { 'not now': range => '#{(now + 3) % 24}:00 - #{(now + 4) % 24}:00' }
      schedule { 'always': range => '0:00 - 23:59:59' }
      #{changed}
      trigger { 't': hosts => 'lb01', schedule => 'not now' }
      trigger { 'now': hosts => 'lb01', schedule => 'always', subscribe => File['#{folder}/f'] }
    PUPPET
    expect([run.exit_code, fired]).to eq([2, ['now']]), run.output
  end

  it 'skips a trigger whose dependency failed, although a notifier changed' do
    run = apply("#{changed} exec { '/bin/false': before => Trigger['t'] } trigger { 't': hosts => 'lb01' }")
    expect(run.exit_code).to eq(6), run.output
    expect(run.output).to include('Trigger[t]: Skipping because of failed dependencies')
    expect_nothing_published
  end

  it 'refuses a trigger that is declared twice before it changes anything' do
    run = apply("#{changed} trigger { 't': hosts => 'lb01' } trigger { 't': hosts => 'lb02' }")
    expect([run.exit_code, File.exist?("#{folder}/f")]).to eq([1, false]), run.output
    expect(run.output).to match(/Duplicate declaration: Trigger\[t\] is already declared/)
    expect_nothing_published
  end

  it 'fires a trigger with 1,000 hosts, or with undef for its parameters, once' do
    run = apply(<<~PUPPET)
      #{changed}
      trigger { 't': hosts => Integer[1, 1000].map |$n| { "node${n}.example.com" } }
      trigger { 'undef': hosts => 'lb01', keyttl => undef, args => undef, plugin => undef, subscribe => File['#{folder}/f'] }
      trigger { 'nobody': hosts => undef, subscribe => File['#{folder}/f'] }
    PUPPET
    expect([run.exit_code, fired]).to match([2, contain_exactly('t', 'undef')]), run.output
    expect(run.output).to match(/Trigger\[nobody\].*hosts is empty: nothing fired/)
    expect(etcd.keys("#{prefix}/v1/inbox").size).to eq(1001)
  end

  it 'refuses a trigger with a Sensitive value before it changes anything, and does not show the value' do
    { "hosts => Sensitive('hush')" => /hosts of a trigger cannot be Sensitive/,
      "plugin => 'command/x', args => { 'p' => Sensitive('hush') }" => /args: the value of 'p' must be .*etcd stores args in clear text/ }.each do |parameters, refusal|
      run = apply("#{changed} trigger { 't': #{parameters} }")
      expect([run.exit_code, File.exist?("#{folder}/f")]).to eq([1, false]), run.output
      expect(run.output).to match(refusal)
      expect(run.output).not_to include('hush')
    end
    expect_nothing_published
  end

  # The limit of every notification in Puppet: nobody has written down that the file has changed.
  it 'loses the refresh when Puppet is killed between change and refresh, and publishes nothing' do
    kill = "exec { '/bin/sh -c \"test -e #{folder}/killed || { touch #{folder}/killed; kill -KILL $PPID; }\"': require => File['#{folder}/f'], before => Trigger['t'] }"
    manifest = "#{changed} #{kill} trigger { 't': hosts => 'lb01' }"
    expect([apply(manifest).exit_code, File.exist?("#{folder}/f")]).to eq([nil, true])
    expect_nothing_published
    again = apply(manifest)
    expect(again.exit_code).to eq(2), again.output
    expect_nothing_published
  end
end
