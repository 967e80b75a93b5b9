# frozen_string_literal: true

require 'spec_helper'
require 'puppet_x/trigger/firing'

RSpec.describe PuppetX::Trigger::RunContext do
  let(:link) { { 'firing' => '01K9ZQ4T5M8W3V6X7Y8Z9A0BCD', 'node' => 'web01', 'trigger' => 'refresh' } }
  let(:problems) { [] }

  def load(content)
    described_class.load(client_json(content.is_a?(Hash) ? JSON.generate(content) : content)) { |problem| problems << problem }
  end

  def ttl_of(context, **options)
    SampleFiring.to(%w[lb01], context: context, **options).ttl
  end

  it 'is empty in a run that no firing started' do
    expect([nil, ''].map { |path| described_class.load(path).chain }).to eq([[], []])
    expect(ttl_of(described_class::NONE)).to eq(8)
  end

  it 'passes the chain on without unknown fields' do
    context = load('format' => 1, 'node' => 'lb01', 'chain' => [link.merge('more' => 1)], 'ttl' => 7)
    expect(JSON.parse(SampleFiring.to(%w[lb02], context: context).json)).to include('chain' => [link], 'ttl' => 7)
    expect(problems).to be_empty
  end

  it 'gives a firing the smaller hop limit of manifest and chain, down to -1' do
    expect([7, 2, 0, -1].map { |ttl| ttl_of(load('format' => 1, 'chain' => [link], 'ttl' => ttl), ttl: 3) }).to eq([3, 2, 0, -1])
  end

  it 'drops the oldest links of a chain that is too long for a document' do
    chain = Array.new(70) { |index| link.merge('node' => "node#{index}") }
    expect(load('format' => 1, 'chain' => chain).chain).to eq(chain.last(64))
    expect(problems).to be_empty
  end

  it 'is empty with an older daemon that writes no chain' do
    expect(load('format' => 1, 'firings' => []).chain).to eq([])
    expect(problems).to be_empty
  end

  [
    '', '{', '[]', '"x"', "\xff", { 'format' => 2 }, { 'chain' => [] }, { 'format' => 1, 'chain' => [{}] },
    { 'format' => 1, 'chain' => 'x' }, { 'format' => 1, 'chain' => [], 'ttl' => '7' }
  ].each do |content|
    it "warns about #{content.inspect}, and starts a new chain" do
      expect(load(content).chain).to eq([])
      expect(problems).to contain_exactly(/TRIGGERD_CONTEXT names .* is not a context that triggerd writes/)
    end
  end

  it 'warns about a missing file' do
    described_class.load('/nowhere') { |problem| problems << problem }
    expect(problems).to eq(['TRIGGERD_CONTEXT names /nowhere, which cannot be read: No such file or directory'])
  end
end
