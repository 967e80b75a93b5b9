# frozen_string_literal: true

require 'spec_helper'
require 'puppet_x/trigger/document'

RSpec.describe PuppetX::Trigger::Document do
  let(:values) { fixture('firing-puppet') }

  def parse(changes = {})
    described_class.parse(JSON.generate(values.merge(changes)))
  end

  %w[firing-puppet firing-cli].each do |name|
    it "accepts the fixture #{name}, and keeps its bytes" do
      text = JSON.pretty_generate(fixture(name))
      document = described_class.parse(text.b)
      expect([document.json, document.id, document.targets]).to eq([text, *fixture(name).values_at('id', 'targets')])
      expect(JSON.parse(document.entry)).to eq(fixture('inbox-entry').merge('firing' => document.id))
    end
  end

  it 'accepts unknown fields, and a chain that is at its end' do
    link = { 'firing' => values['id'], 'node' => 'web01', 'trigger' => 'refresh' }
    expect(parse('new' => { 'a' => 1 }, 'ttl' => -1, 'chain' => [link] * 64).id).to eq(values['id'])
  end

  {
    'format' => [2, nil],
    'id' => ['x', nil, '01k9zq4t5m8w3v6x7y8z9a0bcd', "01K9ZQ4T5M8W3V6X7Y8Z9A0BCD\n"],
    'trigger' => ['', "a\nb", 1],
    'origin' => [nil, { 'kind' => 'puppet' }, { 'kind' => 'else', 'node' => 'a' }],
    'targets' => [[], 'lb01', %w[a a], ['A'], ['a/b'], [1]],
    'job' => [nil, { 'plugin' => 1 }, { 'plugin' => nil, 'args' => { 'a' => 1 } }],
    'tags' => [['x' * 1025], [1]],
    'ttl' => [nil, -2, 1.5],
    'chain' => [[1], [{ 'firing' => 'x', 'node' => 'a', 'trigger' => 't' }]],
    'created_at' => [nil],
  }.each do |field, wrong|
    it "refuses an invalid #{field}, and names the field without its value" do
      wrong.each do |value|
        expect { parse(field => value) }
          .to raise_error(PuppetX::Trigger::InvalidFiring, /cannot be published: #{field} must be/), value.inspect
      end
    end
  end

  {
    'something else than JSON' => ['{', /not JSON/],
    'a bomb of brackets' => [('[' * 40) + (']' * 40), /nested too deeply/],
    'no object' => ['[]', /not an object/],
    'bytes that are no text' => ["\"\xff\"".b, /not UTF-8/],
    'a giant' => ['x' * ((1024 * 1024) + 1), /at most 1048576 are allowed. Shorten args, or give fewer hosts/],
  }.each do |what, (text, message)|
    it("refuses #{what}") { expect { described_class.parse(text) }.to raise_error(PuppetX::Trigger::InvalidFiring, message) }
  end
end
