# frozen_string_literal: true

require 'spec_helper'
require 'net/http'
require 'puppet'

RSpec.describe 'the provider dummy of the type trigger' do
  it 'fires nothing and logs that' do
    resource = Puppet::Type.type(:trigger).new(name: 't', hosts: 'lb01', provider: :dummy)
    expect(resource).to receive(:notice).with('provider dummy: nothing fired to 1 node (lb01)')
    expect(Net::HTTP).not_to receive(:new)
    resource.refresh
  end
end
