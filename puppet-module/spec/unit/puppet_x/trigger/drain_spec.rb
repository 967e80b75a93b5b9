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

  it 'publishes everything, and leaves nothing' do
    firings = Array.new(3) { leave_in_spool }
    result = drain
    expect(published).to match_array(firings.map(&:json))
    expect([result.delivered, result.waiting, result.problem, spooled]).to eq([3, 0, nil, []])
  end

  it 'does nothing where there is nothing' do
    expect([drain.delivered, drain.waiting]).to eq([0, 0])
  end

  it 'gives the place of a firing along' do
    place = PuppetX::Trigger::Place.new(['http://a:1'], '/p')
    leave_in_spool(place: place)
    drain { |_, given| published << given.to_h }
    expect(published).to eq([place.to_h])
  end

  it 'leaves all of them when etcd is away, having tried one' do
    3.times { leave_in_spool }
    result = drain { (published << 1) && raise(PuppetX::Trigger::PublishError, 'away') }
    expect([result.delivered, result.waiting, result.problem.message, published, spooled.size]).to eq([0, 3, 'away', [1], 3])
  end

  it 'goes on behind one that etcd refuses' do
    3.times { leave_in_spool }
    turn = 0
    result = drain { raise PuppetX::Trigger::RefusedError, 'denied' if (turn += 1) == 1 }
    expect([result.delivered, result.waiting, result.problem.message]).to eq([2, 1, 'denied'])
  end

  it 'goes on behind a file that cannot be read' do
    first = leave_in_spool
    leave_in_spool
    allow(spool).to receive(:read).and_call_original
    allow(spool).to receive(:read).with("#{first.id}.json").and_raise(PuppetX::Trigger::SpoolError, 'cannot read it')
    result = drain
    expect([result.delivered, result.waiting, result.problem.message, spooled]).to eq([1, 1, 'cannot read it', ["#{first.id}.json"]])
  end

  it 'sets aside what is no firing, and what etcd has another firing for; the others go on' do
    twin = leave_in_spool
    leave_in_spool
    File.write(File.join(spool_path, 'broken.json'), '{')
    result = drain { |firing, _| raise PuppetX::Trigger::ConflictError, 'another firing' if firing.id == twin.id }
    expect([result.delivered, result.waiting]).to eq([1, 0])
    expect(result.rejected).to contain_exactly(/broken.json: .*not JSON/, /#{twin.id}.json: another firing/)
    expect(spooled).to eq(['rejected'])
  end

  it 'minds no other drainer that is faster' do
    2.times { leave_in_spool }
    result = drain { |firing, _| spool.waiting.each { |name| spool.remove(File.basename(name, '.json')) } && (published << firing.id) }
    expect([result.waiting, result.problem, published.size]).to eq([0, nil, 1])
  end
end
