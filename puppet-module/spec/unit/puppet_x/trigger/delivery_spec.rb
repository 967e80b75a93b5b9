# frozen_string_literal: true

require 'spec_helper'
require 'puppet_x/trigger/delivery'
require 'puppet_x/trigger/spool'

RSpec.describe PuppetX::Trigger::Delivery do
  let(:spool) { PuppetX::Trigger::Spool.new(spool_path) }
  let(:firing) { SampleFiring.to(%w[lb01]) }
  let(:delivery) { described_class.new(spool, firing) }
  let(:away) { PuppetX::Trigger::PublishError.new('connection refused') }

  it 'keeps the firing on disk only during publication' do
    expect(delivery.run { expect(spooled).to eq(["#{firing.id}.json"]) }).to eq(:owed)
    expect([spooled, delivery.problem, delivery.spool_problem]).to eq([[], nil, nil])
  end

  it 'leaves the firing in the spool if etcd does not accept it' do
    expect(delivery.run { raise away }).to eq(:stored)
    expect([spooled, delivery.problem]).to eq([["#{firing.id}.json"], away])
  end

  it 'leaves the firing in the spool after an unexpected exception' do
    expect { delivery.run { raise Interrupt } }.to raise_error(Interrupt)
    expect(spooled).to eq(["#{firing.id}.json"])
  end

  it 'does not keep a firing that can never be published' do
    expect { delivery.run { raise PuppetX::Trigger::ConflictError, 'another' } }.to raise_error(PuppetX::Trigger::ConflictError)
    expect(spooled).to be_empty
  end

  describe 'without a usable spool' do
    before { File.write(spool_path, '') }

    it 'publishes, and reports why the spool was not used' do
      expect(delivery.run { nil }).to eq(:owed)
      expect(delivery.spool_problem.message).to include("#{spool_path} is not a directory")
    end

    it 'fails with both reasons if etcd does not accept the firing either' do
      expect { delivery.run { raise away } }
        .to raise_error(PuppetX::Trigger::Error, /\Aconnection refused. The firing is not in the spool either: the spool .* is not a directory/)
    end
  end
end
