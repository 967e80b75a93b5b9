# frozen_string_literal: true

require 'spec_helper'
require 'puppet_x/trigger/firing'

RSpec.describe PuppetX::Trigger::Firing do
  let(:now) { Time.utc(2026, 11, 20, 12, 0, 0.25r) }
  let(:expected) { fixture('firing-puppet') }
  let(:arguments) do
    { trigger: 'refresh load balancers', origin: expected['origin'], targets: expected['targets'],
      tags: ['loadbalancer'], now: now }
  end
  let(:firing) { described_class.new(**arguments) }
  let(:document) { JSON.parse(firing.json) }

  it 'writes the document of the fixture, in its order' do
    ours = expected.merge('id' => firing.id, 'created_at' => '2026-11-20T12:00:00.250Z')
    expect(firing.json).to eq(JSON.generate(ours))
  end

  it 'writes the inbox entry of the fixture' do
    expect(JSON.parse(firing.entry)).to eq(fixture('inbox-entry').merge('firing' => firing.id))
  end

  it 'expires keyttl seconds after its creation' do
    document = JSON.parse(described_class.new(**arguments, keyttl: 90).json)
    expect(document['expires_at']).to eq('2026-11-20T12:01:30.250Z')
  end

  it 'carries plugin, arguments and hops' do
    document = JSON.parse(described_class.new(**arguments, ttl: 2, job: { plugin: 'echo', args: { 'a' => 'ü' } }).json)
    expect(document.values_at('ttl', 'job')).to eq([2, { 'plugin' => 'echo', 'args' => { 'a' => 'ü' } }])
  end
end
