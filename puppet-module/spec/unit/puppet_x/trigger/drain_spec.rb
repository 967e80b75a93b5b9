# frozen_string_literal: true

require 'spec_helper'
require 'puppet_x/trigger/drain'
require 'puppet_x/trigger/spool'

RSpec.describe PuppetX::Trigger::Drain do
  let(:spool) { PuppetX::Trigger::Spool.new(spool_path) }
  let(:published) { [] }

  def drain(&publish)
    publish ||= ->(firing, _) { published << firing.json }
    described_class.new(spool, &publish).tap(&:run)
  end

  it 'publishes all firings, and leaves none' do
    firings = Array.new(3) { leave_in_spool }
    result = drain
    expect(published).to match_array(firings.map(&:json))
    expect([result.delivered, result.waiting, result.problem, spooled]).to eq([3, 0, nil, []])
  end

  it 'does nothing with an empty spool' do
    expect([drain.delivered, drain.waiting]).to eq([0, 0])
  end

  it 'passes on etcd and prefix of a firing' do
    place = PuppetX::Trigger::Place.new(['http://a:1'], '/p')
    leave_in_spool(place: place)
    drain { |_, given| published << given.to_h }
    expect(published).to eq([place.to_h])
  end

  it 'tries one firing and leaves all if etcd is down' do
    3.times { leave_in_spool }
    result = drain { (published << 1) && raise(PuppetX::Trigger::PublishError, 'away') }
    expect([result.delivered, result.waiting, result.problem.message, published, spooled.size]).to eq([0, 3, 'away', [1], 3])
  end

  it 'continues after a firing that etcd refuses' do
    3.times { leave_in_spool }
    turn = 0
    result = drain { raise PuppetX::Trigger::RefusedError, 'denied' if (turn += 1) == 1 }
    expect([result.delivered, result.waiting, result.problem.message]).to eq([2, 1, 'denied'])
  end

  it 'continues after a file that cannot be read' do
    first = leave_in_spool
    leave_in_spool
    allow(spool).to receive(:read).and_call_original
    allow(spool).to receive(:read).with("#{first.id}.json").and_raise(PuppetX::Trigger::SpoolError, 'cannot read it')
    result = drain
    expect([result.delivered, result.waiting, result.problem.message, spooled]).to eq([1, 1, 'cannot read it', ["#{first.id}.json"]])
  end

  it 'moves invalid and conflicting firings away, and continues with the others' do
    twin = leave_in_spool
    leave_in_spool
    File.write(File.join(spool_path, 'broken.json'), '{')
    result = drain { |firing, _| raise PuppetX::Trigger::ConflictError, 'another firing' if firing.id == twin.id }
    expect([result.delivered, result.waiting]).to eq([1, 0])
    expect(result.rejected).to contain_exactly(/broken.json: .*not JSON/, /#{twin.id}.json: another firing/)
    expect(spooled).to eq(['rejected'])
  end

  it 'accepts that another drainer is faster' do
    2.times { leave_in_spool }
    result = drain { |firing, _| spool.waiting.each { |name| spool.remove(File.basename(name, '.json')) } && (published << firing.id) }
    expect([result.waiting, result.problem, published.size]).to eq([0, nil, 1])
  end
end
