# frozen_string_literal: true

require 'spec_helper'
require 'puppet_x/trigger/firing'
require 'puppet_x/trigger/spool'

RSpec.describe PuppetX::Trigger::Spool do
  subject(:spool) { described_class.new(spool_path) }

  let(:firing) { SampleFiring.to(%w[lb01], job: { args: { 'a' => 'ü' } }) }
  let(:name) { "#{firing.id}.json" }

  def mode(*path)
    File.stat(File.join(*path)).mode & 0o777
  end

  it 'keeps the exact bytes of the document, readable only by its owner' do
    spool.store(firing)
    expect(spooled).to eq([name])
    expect(File.binread(File.join(spool_path, name))).to eq(firing.json.b)
    expect([mode(spool_path), mode(spool_path, name)]).to eq([0o700, 0o600])
    expect(spool.read(name).json).to eq(firing.json)
  end

  it 'syncs a firing before it renames the file, and the directory before it returns' do
    order = []
    synced = lambda do |fsync|
      order << [:fsync, File.basename(fsync.receiver.path)]
      fsync.call
    end
    renamed = lambda do |rename, *names|
      order << [:rename]
      rename.call(*names)
    end
    allow_any_instance_of(File).to receive(:fsync).and_wrap_original(&synced) # rubocop:disable RSpec/AnyInstance -- files are opened inside
    allow(File).to receive(:rename).and_wrap_original(&renamed)
    spool.store(firing)
    expect(order.last(3)).to eq([[:fsync, ".tmp-#{firing.id}"], [:rename], [:fsync, 'spool']])
  end

  it 'creates missing parent directories' do
    described_class.new(File.join(spool_path, 'a', 'b')).store(firing)
    expect(mode(spool_path, 'a')).to eq(0o700)
  end

  it 'removes a firing, and accepts a second removal' do
    spool.store(firing, PuppetX::Trigger::Place.new(['http://a:1'], '/p'))
    2.times { spool.remove(firing.id) }
    expect(spooled).to be_empty
    expect(spool.read(name)).to be_nil
  end

  it 'keeps etcd and prefix of a firing beside it' do
    spool.store(firing, PuppetX::Trigger::Place.new(['http://a:1'], '/p'))
    expect(spool.place(firing.id).to_h).to eq('endpoints' => ['http://a:1'], 'prefix' => '/p')
    File.write(File.join(spool_path, "#{firing.id}.place"), '{}')
    expect { spool.place(firing.id) }.to raise_error(PuppetX::Trigger::InvalidFiring, /does not name an etcd/)
  end

  it 'lists only firings, the oldest first' do
    firings = Array.new(3) { SampleFiring.to(%w[lb01]) }.shuffle
    firings.each_with_index do |each, index|
      spool.store(each)
      File.utime(index, index, File.join(spool_path, "#{each.id}.json"))
    end
    ['.tmp-x', '.x.json', 'notes.txt'].each { |other| File.write(File.join(spool_path, other), '') }
    expect(spool.waiting).to eq(firings.map { |each| "#{each.id}.json" })
  end

  it 'is empty without a directory, and creates none for reading' do
    expect(spool.waiting).to eq([])
    expect(File).not_to exist(spool_path)
  end

  describe 'with a file that is not a firing' do
    {
      'a symbolic link' => [->(path) { File.symlink('/etc/passwd', path) }, /symbolic link/],
      'a folder' => [->(path) { Dir.mkdir(path) }, /not a regular file/],
      'a FIFO' => [->(path) { File.mkfifo(path) }, /not a regular file/],
      'garbage' => [->(path) { File.write(path, '{') }, /not JSON/],
      'another firing' => [->(path) { File.write(path, SampleFiring.to(%w[lb01]).json) }, /file name is not the ID/],
    }.each do |what, (plant, message)|
      it "does not read #{what}, and can move it away with the reason" do
        Dir.mkdir(spool_path, 0o700)
        plant.call(File.join(spool_path, name))
        expect { spool.read(name) }.to raise_error(PuppetX::Trigger::InvalidFiring, message)
        2.times { spool.reject(name, 'because') }
        expect(spooled).to eq(['rejected'])
        expect(File.read(File.join(spool_path, 'rejected', "#{name}.reason"))).to eq("because\n")
      end
    end
  end

  describe 'in a directory that other users can change' do
    {
      'a symbolic link' => [->(path) { File.symlink(Dir.mktmpdir('x', SCRATCH), path) }, /is a symbolic link. Remove/],
      'a link to nowhere' => [->(path) { File.symlink('/nowhere', path) }, /is a symbolic link/],
      'a FIFO' => [->(path) { File.mkfifo(path) }, /is not a directory/],
      'a file' => [->(path) { File.write(path, '') }, /is not a directory/],
      'writable by its group' => [->(path) { Dir.mkdir(path) && File.chmod(0o770, path) }, /can be written by its group.*chmod 0700/],
      'writable by everybody' => [->(path) { Dir.mkdir(path) && File.chmod(0o1777, path) }, /can be written by its group or by others/],
      'of somebody else' => [->(path) { Dir.mkdir(path, 0o700) && File.chown(65_534, nil, path) }, /belongs to user 65534.*chown/],
    }.each do |what, (plant, message)|
      it "does nothing: #{what}" do
        skip 'only root can give a folder away' if what.include?('somebody') && !Process.uid.zero?
        plant.call(spool_path)
        [spool_path, "#{spool_path}/"].each do |path|
          expect { described_class.new(path).store(firing) }.to raise_error(PuppetX::Trigger::SpoolError, message)
          expect { described_class.new(path).waiting }.to raise_error(PuppetX::Trigger::SpoolError, message)
        end
      end
    end
  end

  describe 'below a directory' do
    let(:above) { File.join(Dir.mktmpdir('above', SCRATCH), 'above') }
    let(:below) { described_class.new(File.join(above, 'between/spool')) }

    before do
      skip 'only root can give a folder away' unless Process.uid.zero?
      FileUtils.mkdir_p(above)
      below.store(firing)
    end

    {
      'of somebody else' => [->(path) { File.chown(65_534, nil, path) }, /can be replaced: .*above belongs to user 65534. Run: chown root/],
      'that its group can write' => [->(path) { File.chown(0, 65_534, path) && File.chmod(0o775, path) }, /above can be written by its group/],
      'that all can write' => [->(path) { File.chmod(0o757, path) }, /above can be written by its group or by others. Run: chmod go-w/],
    }.each do |what, (attack, message)|
      it "does nothing: #{what}" do
        attack.call(above)
        expect { below.store(firing) }.to raise_error(PuppetX::Trigger::SpoolError, message)
        expect { below.waiting }.to raise_error(PuppetX::Trigger::SpoolError, message)
      end
    end

    it 'does nothing if a link leads through a world-writable directory' do
      theirs = Dir.mktmpdir('theirs', SCRATCH)
      File.chmod(0o777, theirs)
      File.symlink(above, File.join(theirs, 'link'))
      linked = described_class.new(File.join(theirs, 'link/between/spool'))
      expect { linked.waiting }.to raise_error(PuppetX::Trigger::SpoolError, /theirs.* can be written/)
    end

    it 'is used below a sticky directory such as /tmp, and if root’s group can write' do
      [0o1777, 0o775].each do |mode|
        File.chmod(mode, above)
        expect(below.waiting.length).to eq(1)
      end
    end
  end

  it 'reports a full disk, leaves no partial file, and recovers' do
    skip 'only root can mount' unless Process.uid.zero?
    mount_small(spool_path)
    spool.store(firing)
    big = SampleFiring.to(%w[lb01], job: { args: { 'a' => 'x' * 100_000 } })
    expect { spool.store(big) }.to raise_error(PuppetX::Trigger::SpoolError, /No space left on device. Check the free space/)
    expect(spooled).to eq([name])
    expect { spool.store(SampleFiring.to(%w[lb01])) }.not_to raise_error
  end
end
