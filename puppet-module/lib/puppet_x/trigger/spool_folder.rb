# frozen_string_literal: true

require 'fileutils'
require_relative 'errors'
require_relative 'trusted_way'

# The folder of the spool: owned by the run's user, closed to all others, and not replaced by another object.
class PuppetX::Trigger::SpoolFolder
  MODE = 0o700
  OTHERS_WRITE = 0o022

  attr_reader :path

  # @param path [String] absolute
  def initialize(path)
    # With a slash at the end, a symbolic link would be followed.
    @path = path.sub(%r{/+\z}, '')
  end

  # Makes the folder if it is missing.
  # @raise [SpoolError] saying what is wrong with it and what to do
  def prepare
    make unless exist?
    check
  end

  # @return [Boolean] false where there is none; then there is nothing in it
  # @raise [SpoolError] as `prepare`
  def usable?
    exist? && check
  end

  # Makes the names in it durable.
  def sync
    File.open(path, &:fsync)
  end

  def file(name)
    File.join(path, name)
  end

  private

  def exist?
    File.symlink?(path) || File.exist?(path)
  end

  def make
    parent = File.dirname(path)
    FileUtils.mkdir_p(parent, mode: MODE)
    Dir.mkdir(path, MODE)
    File.open(parent, &:fsync)
  rescue Errno::EEXIST
    nil # another run was faster
  rescue SystemCallError => e
    raise unusable("cannot be created: #{reason(e)}", "Run: install -d -m 0700 #{path}")
  end

  def check
    # NONBLOCK: a FIFO in its place must not block the run.
    File.open(path, File::RDONLY | File::NOFOLLOW | File::NONBLOCK) { |handle| check_is_ours(handle.stat) }
    what, remedy = PuppetX::Trigger::TrustedWay.parents_problem(path)
    raise unusable("can be replaced: #{what}", remedy) if what

    true
  rescue Errno::ELOOP
    raise unusable('is a symbolic link', 'Remove the link, or set `spool` in client.json to the real directory')
  rescue SystemCallError => e
    raise unusable("cannot be opened: #{reason(e)}", 'Check its owner and mode')
  end

  def check_is_ours(stat)
    raise unusable('is not a directory', 'Remove this file') unless stat.directory?

    unless stat.uid == Process.euid
      raise unusable("belongs to user #{stat.uid}, not to #{Process.euid}",
                     "Run: chown #{Process.euid} #{path}")
    end
    return if (stat.mode & OTHERS_WRITE).zero?

    raise unusable('can be written by its group or by others', "Check its content, then run: chmod 0700 #{path}")
  end

  def unusable(what, remedy)
    PuppetX::Trigger::SpoolError.new("the spool #{path} #{what}. #{remedy}")
  end

  def reason(error)
    error.class.new.message
  end
end
