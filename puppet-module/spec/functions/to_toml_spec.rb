# frozen_string_literal: true

require 'spec_helper'

RSpec.describe 'trigger::to_toml' do
  it { is_expected.to run.with_params({ 'a' => nil, 'b' => 1, 'c' => true, 'd' => [1.5, 'x'] }).and_return("b = 1\nc = true\nd = [1.5, \"x\"]\n") }
  it { is_expected.to run.with_params({ 's' => { 't' => { 'k' => 'v' }, 'a' => 1 } }).and_return("[s]\na = 1\n\n[s.t]\nk = \"v\"\n") }
  it { is_expected.to run.with_params({ 's' => { 't' => { 'k' => 1 } }, 'u' => {} }).and_return("[s.t]\nk = 1\n\n[u]\n") }
  it { is_expected.to run.with_params({ 'a b' => { 'c.d' => '' } }).and_return("[\"a b\"]\n\"c.d\" = \"\"\n") }
  it { is_expected.to run.with_params({ 'x' => "\"\\\n\u0001\u007fü" }).and_return("x = \"\\\"\\\\\\n\\u0001\\u007fü\"\n") }

  it 'writes Sensitive values' do
    token = Puppet::Pops::Types::PSensitiveType::Sensitive.new('9b1b')
    is_expected.to run.with_params({ 'w' => { 't' => { 'd' => { 'token' => token } } }, 'l' => [token] })
                      .and_return("l = [\"9b1b\"]\n\n[w.t.d]\ntoken = \"9b1b\"\n")
  end

  it { is_expected.to run.with_params({ 'x' => [{ 'a' => 1 }] }).and_raise_error(ArgumentError, /cannot write a Hash/) }
  it { is_expected.to run.with_params('x').and_raise_error(ArgumentError) }
end
