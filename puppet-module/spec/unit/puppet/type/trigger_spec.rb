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

  it 'takes a text for hosts' do
    expect(trigger[:hosts]).to eq(['lb01.example.com'])
  end

  it 'takes quoted numbers' do
    resource = trigger(keyttl: '60', ttl: '3')
    expect([resource[:keyttl], resource[:ttl]]).to eq([60, 3])
  end

  it 'makes texts of arguments' do
    expect(trigger(args: { 'n' => 1 })[:args]).to eq('n' => '1')
  end

  {
    { hosts: ['lb01', 'lb 02'] } => /Parameter hosts failed on Trigger\[refresh load balancers\]: "lb 02" in hosts is not a host name/,
    { keyttl: 0 } => /keyttl must be a whole number of seconds from 1/,
    { ttl: '256' } => /ttl must be a whole number of hops from 1 to 255, got "256"/,
    { args: { 'a' => { 'b' => 'c' } } } => /args: the value of 'a' must be a text.*nested/,
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
    it 'is etcd, without a warning, though others are suitable' do
      expect(Puppet).not_to receive(:warning)
      expect(type.suitableprovider.map(&:name)).to include(:dummy, :etcd)
      expect(trigger.provider.class.name).to eq(:etcd)
    end

    it 'is dummy where that is asked for' do
      expect(trigger(provider: 'dummy').provider.class.name).to eq(:dummy)
    end
  end

  describe 'a refresh' do
    it 'publishes' do
      resource = trigger
      expect(resource.provider).to receive(:publish).once
      resource.refresh
    end

    it 'warns and publishes nothing where there are no hosts' do
      resource = trigger(hosts: [])
      expect(resource.provider).not_to receive(:publish)
      expect(resource).to receive(:warning).with('hosts is empty: nothing fired')
      resource.refresh
    end
  end

  it 'does nothing when it is only declared' do
    resource = trigger
    expect(resource.provider).not_to receive(:publish)
    expect([resource.properties, resource.retrieve.to_hash]).to eq([[], { name: 'refresh load balancers' }])
  end

  it 'lists nothing' do
    expect(type.instances).to eq([])
  end

  it 'waits for the client settings where the catalogue manages them' do
    catalog = Puppet::Resource::Catalog.new
    file = Puppet::Type.type(:file).new(path: '/etc/triggerd/client.json')
    catalog.add_resource(file, trigger)
    expect(catalog.resource('Trigger[refresh load balancers]').autorequire.map(&:source)).to eq([file])
  end

  it 'refuses Sensitive arguments, which etcd would show to everyone' do
    resource = Puppet::Resource.new('trigger', 'x', parameters: { args: { 'a' => 'hush' } }, sensitive_parameters: [:args])
    expect { resource.to_ral }.to raise_error(Puppet::Error, /args of a trigger can't be Sensitive(?!.*hush)/)
  end
end
