# frozen_string_literal: true

require 'spec_helper'
require 'puppet_x/trigger/ulid'

RSpec.describe PuppetX::Trigger::Ulid do
  it 'starts with the time in the encoding of the specification' do
    expect(described_class.generate(Time.at(1_469_918_176, 385, :millisecond))).to start_with('01ARYZ6S41')
  end

  it 'has 26 characters of Crockford base 32' do
    expect(described_class.generate).to match(/\A[0-7][0-9A-HJKMNP-TV-Z]{25}\z/)
  end

  it 'differs even within a millisecond' do
    now = Time.now
    expect(Array.new(1000) { described_class.generate(now) }.uniq.size).to eq(1000)
  end
end
