# frozen_string_literal: true

require 'spec_helper'

RSpec.describe 'trigger::to_pretty_json' do
  it { is_expected.to run.with_params({ 'a' => 'ü', 'b' => nil }).and_return("{\n  \"a\": \"ü\"\n}\n") }
end
