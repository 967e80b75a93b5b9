# frozen_string_literal: true

require 'spec_helper'
require 'puppet'
require 'puppet_x/trigger/arguments'

RSpec.describe PuppetX::Trigger::Arguments do
  it 'converts numbers, booleans and symbols to strings' do
    expect(described_class.parse('a' => 1, :b => true, 'c' => :d, 'e' => 1.5, 'f' => '')) \
      .to eq('a' => '1', 'b' => 'true', 'c' => 'd', 'e' => '1.5', 'f' => '')
  end

  { 'a hash' => { 'k' => 'hush' }, 'an array' => ['hush'], 'nothing' => nil, 'undef' => :undef,
    'a Sensitive' => Puppet::Pops::Types::PSensitiveType::Sensitive.new('hush') }.each do |what, value|
    it "refuses #{what}, naming the argument but not the value" do
      expect { described_class.parse('deep' => value) }
        .to raise_error(ArgumentError, /\Aargs: the value of 'deep' must be a string(?!.*hush)/)
    end
  end

  it('refuses an argument without a name') { expect { described_class.parse('' => 'x') }.to raise_error(ArgumentError, /name/) }
  it('refuses what is no hash') { expect { described_class.parse(['x']) }.to raise_error(ArgumentError, /got Array/) }
  it('refuses bytes that are no text') { expect { described_class.parse('a' => "\xff") }.to raise_error(ArgumentError, /UTF-8/) }
end
