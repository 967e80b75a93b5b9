# frozen_string_literal: true

require 'spec_helper'
require 'puppet'

RSpec.describe 'the type trigger' do
  before(:all) { Puppet.initialize_settings unless Puppet.settings.global_defaults_initialized? }

  let(:type) { Puppet::Type.type(:trigger) }

  def trigger(parameters = {})
    type.new({ name: 'refresh load balancers', hosts: 'lb01.example.com' }.merge(parameters))
  end

  def refusal(parameters)
    trigger(parameters)
    nil
  rescue Puppet::Error => e
    e.message
  end

  it 'accepts a string for hosts' do
    expect(trigger[:hosts]).to eq(['lb01.example.com'])
  end

  it 'accepts quoted numbers' do
    resource = trigger(keyttl: '60', ttl: '3')
    expect([resource[:keyttl], resource[:ttl]]).to eq([60, 3])
  end

  it 'accepts seconds and durations for timeout, with 30 minutes as the default' do
    expect([trigger(timeout: 90), trigger(timeout: '90'), trigger(timeout: '1h30m'), trigger].map { |resource| resource[:timeout] })
      .to eq([90, 90, 5400, 1800])
  end

  it 'converts arguments to strings' do
    expect(trigger(args: { 'n' => 1 })[:args]).to eq('n' => '1')
  end

  {
    { hosts: ['lb01', 'lb 02'] } => /Parameter hosts failed on Trigger\[refresh load balancers\]: "lb 02" in hosts is not a host name/,
    { keyttl: 0 } => /keyttl must be a whole number of seconds from 1/,
    { ttl: '256' } => /ttl must be a whole number of hops from 1 to 255, got "256"/,
    { args: { 'a' => { 'b' => 'c' } } } => /args: the value of 'a' must be a string.*nested/,
    { timeout: '10 minutes' } => /timeout must be seconds or a duration such as 90s, 10m or 1h30m, from 1s to 7d, got "10 minutes"/,
    { timeout: 0 } => /timeout must be/,
    { wait: 'perhaps' } => /Parameter wait failed/,
    { apply: 'later' } => /Invalid value "later". Valid values are immediately, finished/,
    { apply: 'finished', wait: true } => /wait does not work with apply => finished, which fires after the run/,
    { apply: 'finished', require_publish: true } => /require_publish does not work with apply => finished/,
    { plugin: '../x' } => /plugin must be a path below the plugins folder/,
    { endpoints: ['etcd1:2379'] } => /an endpoint must look like/,
    { keyprefix: 'trigger' } => /keyprefix must be a path/,
    { name: "a\nb" } => /no control characters/,
    { provider: 'mcollective' } => /Invalid trigger provider 'mcollective'/,
    { colour: 'red' } => /no parameter named 'colour'/,
  }.each do |parameters, message|
    it("refuses #{parameters}") { expect(refusal(parameters)).to match(message) }
  end

  describe 'its provider' do
    it 'is etcd by default, without a warning' do
      expect(Puppet).not_to receive(:warning)
      expect(type.suitableprovider.map(&:name)).to include(:dummy, :etcd)
      expect(trigger.provider.class.name).to eq(:etcd)
    end

    it 'is dummy if the manifest sets it' do
      expect(trigger(provider: 'dummy').provider.class.name).to eq(:dummy)
    end
  end

  describe 'a refresh' do
    it 'publishes' do
      resource = trigger
      expect(resource.provider).to receive(:publish).once
      resource.refresh
    end

    it 'warns and publishes nothing without hosts' do
      resource = trigger(hosts: [])
      expect(resource.provider).not_to receive(:publish)
      expect(resource).to receive(:warning).with('hosts is empty: nothing fired')
      resource.refresh
    end
  end

  it 'does nothing without a notification' do
    resource = trigger
    expect(resource.provider).not_to receive(:publish)
    expect([resource.properties, resource.retrieve.to_hash]).to eq([[], { name: 'refresh load balancers' }])
  end

  it 'has no instances to list' do
    expect(type.instances).to eq([])
  end

  describe 'if the catalog manages its dependencies' do
    let(:files) { %w[/etc/triggerd/client.json /var/lib/triggerd /var/lib/triggerd/spool].map { |path| Puppet::Type.type(:file).new(path: path) } }
    let(:daemon) { %i[package service].map { |kind| Puppet::Type.type(kind).new(name: 'triggerd') } }

    def required_by(resource)
      Puppet::Resource::Catalog.new.add_resource(*files, *daemon, resource)
      resource.autorequire.map(&:source)
    end

    it 'comes after client settings and spool, but not after the daemon' do
      expect(required_by(trigger)).to match_array(files)
    end

    it 'comes after the daemon’s package and service with the provider local' do
      expect(required_by(trigger(provider: :local))).to match_array(files + daemon)
    end
  end

  describe 'in noop' do
    def said(resource)
      lines = []
      allow(resource).to receive(:notice) { |text| lines << text }
      resource.event(status: 'noop', name: :noop_restart)
      lines
    end

    it 'logs which nodes it would have triggered, at most five of them' do
      expect(said(trigger(hosts: %w[lb01 lb02]))).to eq(['would have triggered 2 nodes (lb01, lb02)'])
      expect(said(trigger(hosts: SampleFiring.hosts(300))).first).to match(/\Awould have triggered 300 nodes \(node001.*, 295 more\)\z/)
    end

    it 'logs that it would have fired nothing without hosts or with dummy' do
      expect(said(trigger(hosts: []))).to eq(['would have fired nothing: hosts is empty'])
      expect(said(trigger(provider: :dummy))).to eq(['would have fired nothing: provider dummy'])
    end

    it 'logs nothing for other events' do
      resource = trigger
      expect(resource).not_to receive(:notice)
      expect(resource.event(name: :restarted, status: 'success').name).to eq(:restarted)
    end
  end

  it 'refuses Sensitive arguments, which etcd would show to everyone' do
    resource = Puppet::Resource.new('trigger', 'x', parameters: { args: { 'a' => 'hush' } }, sensitive_parameters: [:args])
    expect { resource.to_ral }.to raise_error(Puppet::Error, /args of a trigger cannot be Sensitive(?!.*hush)/)
  end
end
