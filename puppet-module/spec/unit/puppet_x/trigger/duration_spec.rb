# frozen_string_literal: true

require 'spec_helper'
require 'puppet_x/trigger/duration'

RSpec.describe PuppetX::Trigger::Duration do
  { 90 => 90, '90' => 90, '90s' => 90, '10m' => 600, '1h30m' => 5400, '2d' => 172_800, '1m1s' => 61 }.each do |value, seconds|
    it("reads #{value.inspect}") { expect(described_class.parse('timeout', value, 1..604_800)).to eq(seconds) }
  end

  [0, -1, 1.5, '', '1 h', 's', '10x', "10m\n", '1h30', '8d', '90 minutes', nil, true, []].each do |value|
    it "refuses #{value.inspect}" do
      expect { described_class.parse('timeout', value, 1..604_800) }
        .to raise_error(ArgumentError, "timeout must be seconds or a duration such as 90s, 10m or 1h30m, from 1s to 7d, got #{value.inspect}")
    end
  end

  { 0 => '0s', 59 => '59s', 90 => '1m30s', 5400 => '1h30m', 90_061 => '1d1h1m1s' }.each do |seconds, text|
    it("writes #{text}") { expect(described_class.format(seconds)).to eq(text) }
  end
end
