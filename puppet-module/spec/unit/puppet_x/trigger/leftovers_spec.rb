# frozen_string_literal: true

require 'spec_helper'
require 'puppet'
require 'puppet_x/trigger/leftovers'

RSpec.describe PuppetX::Trigger::Leftovers do
  let(:server) { StubServer.start { [200, '{"succeeded":true}'] } }
  let(:provider) { Puppet::Type.type(:trigger).provider(:etcd) }

  before { use_client_json('endpoints' => server.url, 'spool' => spool_path) }

  def catalog(*triggers)
    Puppet::Resource::Catalog.new('web01').tap { |catalog| triggers.each { |trigger| catalog.add_resource(trigger) } }
  end

  def trigger(name = 't', **parameters)
    Puppet::Type.type(:trigger).new(name: name, hosts: 'lb01', **parameters)
  end

  def prefetch(*triggers, with: provider)
    catalog(*triggers) unless triggers.first.catalog
    with.prefetch(triggers.to_h { |each| [each.name, each] })
  end

  it 'delivers the firings in the spool, and logs their number' do
    2.times { leave_in_spool }
    expect(Puppet).to receive(:notice).with('Trigger: delivered 2 firings left in the spool')
    prefetch(trigger)
    expect([spooled, server.requests.size]).to eq([[], 2])
  end

  it 'does nothing with an empty spool' do
    expect(Puppet).not_to receive(:notice)
    expect(Puppet).not_to receive(:warning)
    prefetch(trigger)
    expect(server.requests).to be_empty
  end

  it 'delivers to the etcd of the firing' do
    other = StubServer.start { [200, '{"succeeded":true}'] }
    leave_in_spool(place: PuppetX::Trigger::Place.new([other.url], '/else'))
    prefetch(trigger)
    key = JSON.parse(other.requests.first.body).dig('success', 0, 'request_put', 'key').unpack1('m')
    expect([key, server.requests]).to match([%r{\A/else/v1/firings/}, []])
  end

  it 'delivers nothing in noop, or if all triggers are noop' do
    leave_in_spool
    prefetch(trigger(noop: true))
    Puppet[:noop] = true
    prefetch(trigger(noop: false))
    expect([spooled.size, server.requests]).to eq([1, []])
  ensure
    Puppet[:noop] = false
  end

  it 'delivers once for a catalog with two providers' do
    one = trigger('one')
    other = trigger('other', provider: :local)
    catalog(one, other)
    expect(PuppetX::Trigger::Spool).to receive(:new).once.and_call_original
    prefetch(one)
    prefetch(other, with: Puppet::Type.type(:trigger).provider(:local))
  end

  describe 'when etcd does not accept them' do
    before { 3.times { leave_in_spool } }

    def warning
      [].tap do |lines|
        allow(Puppet).to receive(:warning) { |line| lines << line }
        prefetch(trigger)
      end
    end

    it 'warns once with number, path and reason' do
      use_client_json('endpoints' => 'http://127.0.0.1:1', 'spool' => spool_path)
      expect(warning).to contain_exactly(
        /\ATrigger: 3 firings wait in the spool #{spool_path}; the daemon triggerd, or a later Puppet run .* delivers them: .*connection refused/,
      )
    end

    it 'waits at most a few seconds for an etcd that does not answer' do
      stub_const('PuppetX::Trigger::Leftovers::LIMIT', 0.2)
      use_client_json('endpoints' => StubServer.start { :silence }.url, 'spool' => spool_path)
      expect(warning).to contain_exactly(/3 firings wait .*: the delivery took longer than 0.2 s/)
    end
  end

  it 'never fails the run: with an unsafe spool, invalid settings, or a file that is not a firing' do
    File.write(spool_path, '')
    expect(Puppet).to receive(:warning).with(/could not deliver the firings that earlier runs left in the spool: the spool .* is not a directory/)
    prefetch(trigger)
    use_client_json('nonsense' => 1)
    expect(Puppet).to receive(:warning).with(/could not deliver .*unknown key/)
    prefetch(trigger)
    use_client_json('endpoints' => server.url, 'spool' => File.join(scratch_dir, 'spool'))
    FileUtils.mkdir_p(path = PuppetX::Trigger::ClientSettings.load.spool, mode: 0o700)
    File.write(File.join(path, 'x.json'), '{')
    expect(Puppet).to receive(:warning).with(%r{moved to #{path}/rejected: x.json: .*not JSON})
    prefetch(trigger)
  end
end
