# frozen_string_literal: true

require 'spec_helper'
require 'puppet_x/trigger/rules'

RSpec.describe PuppetX::Trigger::Rules do
  describe '.whole_number' do
    def number(value)
      described_class.whole_number('ttl', value, 1..255, ' of hops')
    end

    it('takes an integer') { expect(number(8)).to eq(8) }
    it('takes a quoted number') { expect(number('60')).to eq(60) }
    it('takes a number with leading zeros as decimal') { expect(number('010')).to eq(10) }

    [0, -1, 256, '0', '', '1.5', 1.5, 'ten', '0x10', nil, [], true].each do |value|
      it "refuses #{value.inspect}" do
        expect { number(value) }
          .to raise_error(ArgumentError, "ttl must be a whole number of hops from 1 to 255, got #{value.inspect}")
      end
    end
  end

  describe '.plugin_name' do
    ['command/command', 'puppet', 'a.b/c-d_e', '..a'].each do |name|
      it("takes #{name}") { expect(described_class.plugin_name(name)).to eq(name) }
    end

    ['', '/bin/sh', 'a//b', 'a/', '../x', 'a/../b', '.', 'a b', 'a;b', "a\n", 'a' * 256, nil, 7].each do |name|
      it "refuses #{name.to_s[0, 10].inspect}" do
        expect { described_class.plugin_name(name) }.to raise_error(ArgumentError, /plugin must be a path below the plugins/)
      end
    end
  end

  describe '.trigger_name' do
    ['hosts', 'refresh load balancers', 'a/b', 'grüße', 'x' * 255].each do |name|
      it("takes #{name[0, 30]}") { expect(described_class.trigger_name(name)).to eq(name) }
    end

    ['', 'x' * 256, '😀' * 128, "\xff", "a\nb", "a\u007f"].each do |name|
      it("refuses #{name[0, 10].inspect}") { expect { described_class.trigger_name(name) }.to raise_error(ArgumentError, /1 to 255/) }
    end
  end

  describe '.key_prefix' do
    it('drops a slash at the end') { expect(described_class.key_prefix('/a/b/')).to eq('/a/b') }

    ['', '/', 'a', '//', '/a//b', '/a b', "/a\n"].each do |prefix|
      it("refuses #{prefix.inspect}") { expect { described_class.key_prefix(prefix) }.to raise_error(ArgumentError, %r{/trigger}) }
    end
  end

  describe '.endpoints' do
    it('drops duplicates') { expect(described_class.endpoints(%w[http://a:1 http://a:1/])).to eq(['http://a:1']) }
    it('wants one at least') { expect { described_class.endpoints([]) }.to raise_error(ArgumentError, /at least one/) }
    it('refuses a number') { expect { described_class.endpoints([7]) }.to raise_error(ArgumentError, /must look like https/) }

    # The daemon's configuration is tested against the same file.
    addresses = Fixtures.addresses.fetch('url')

    addresses.fetch('valid').each do |entry|
      it "takes #{entry['given'].inspect} for #{entry['means']}, whose host and port are the ones that are connected to" do
        expect(described_class.endpoints(entry['given'])).to eq([entry['means']])
        uri = URI.parse(entry['means'])
        expect("#{uri.scheme}://#{uri.host}:#{uri.port}").to eq(entry['means'])
      end
    end

    addresses.fetch('invalid').each do |entry|
      it "refuses #{entry['given'].inspect} because of its #{entry['because']}" do
        expect { described_class.endpoints([entry['given']]) }.to raise_error(ArgumentError, /must look like https/)
      end
    end

    it 'refuses a user in the URL without repeating the password' do
      %w[http://root:secret@a:1 root:secret@a:1 http://root:a/secret@a:1 http://root:a@secret@a:1 @secret@].each do |url|
        expect { described_class.endpoints(url) }
          .to raise_error(ArgumentError) { |error| expect(error.message).to include('client.json').and(satisfy { |m| !m.include?('secret') }) }
      end
    end
  end
end
