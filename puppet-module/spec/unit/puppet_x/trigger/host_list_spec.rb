# frozen_string_literal: true

require 'spec_helper'
require 'puppet_x/trigger/host_list'

RSpec.describe PuppetX::Trigger::HostList do
  longest = "#{(['a' * 62] * 4).join('.')}b"

  {
    'a single name' => ['lb01.example.com', %w[lb01.example.com]],
    'several, in their order' => [%w[lb02 lb01], %w[lb02 lb01]],
    'a name twice, once in capitals' => [%w[LB01.example.com lb02 lb01.example.com], %w[lb01.example.com lb02]],
    'the nested answer of a query' => [[%w[a b], ['c']], %w[a b c]],
    'no names' => [[], []],
    'underscores, digits and inner dashes' => ['_a-1.2', %w[_a-1.2]],
    'the longest possible name' => [[longest], [longest]],
  }.each do |what, (given, expected)|
    it("takes #{what}") { expect(described_class.parse(given)).to eq(expected) }
  end

  it 'accepts at most 10,000 names' do
    names = (1..10_000).map { |number| "n#{number}" }
    expect(described_class.parse(names).size).to eq(10_000)
    expect { described_class.parse(names + ['x']) }.to raise_error(ArgumentError, /10000 nodes at most, got 10001/)
  end

  [
    '', ' ', 'lb 01', 'lb01 ', "lb01\n", 'lb01;id', '../lb01', 'a/b', 'a..b', '.a', 'a.', '-a', 'a-', 'a.-b', 'grüße', '*',
    'a' * 64, (['a' * 63] * 4).join('.'), "\u0000"
  ].each do |name|
    it "refuses #{name[0, 20].inspect} with the value and the rule" do
      expect { described_class.parse(['fine', name]) }
        .to raise_error(ArgumentError, /#{Regexp.escape(name.inspect)} in hosts is not a host name: a host name has labels/)
    end
  end

  [nil, 7, true, { 'certname' => 'lb01' }, :undef].each do |value|
    it "refuses #{value.inspect}, which is not a string" do
      expect { described_class.parse([value]) }.to raise_error(ArgumentError, /must be host names, got/)
    end
  end
end
