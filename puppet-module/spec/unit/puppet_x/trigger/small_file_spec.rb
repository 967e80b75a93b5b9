# frozen_string_literal: true

require 'spec_helper'
require 'tmpdir'
require 'puppet_x/trigger/small_file'

RSpec.describe PuppetX::Trigger::SmallFile do
  let(:folder) { Dir.mktmpdir }
  let(:path) { File.join(folder, 'file') }

  after { FileUtils.rm_rf(folder) }

  it 'reads a file, an empty file, and a file behind a link' do
    File.write(path, "gr\u00fc\u00dfe")
    File.symlink(path, "#{path}.link")
    File.write("#{path}.empty", '')
    expect(["#{path}.link", "#{path}.empty"].map { |file| described_class.read(file) }).to eq(["gr\u00fc\u00dfe", ''])
  end

  it 'does not wait for a FIFO' do
    File.mkfifo(path)
    expect { described_class.read(path) }.to raise_error(SystemCallError, /not a regular file/)
  end

  it 'does not read a device or a directory' do
    File.symlink('/dev/zero', path)
    [path, folder].each { |file| expect { described_class.read(file) }.to raise_error(SystemCallError) }
  end

  it 'does not read a file that is too large' do
    File.open(path, 'w') { |file| file.truncate(2**40) }
    expect { described_class.read(path) }.to raise_error(Errno::EFBIG)
  end
end
