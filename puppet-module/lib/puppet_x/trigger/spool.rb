# frozen_string_literal: true

require_relative 'document'
require_relative 'errors'
require_relative 'place'
require_relative 'spool_folder'

# Firings on this node's disk that etcd does not have yet: one file `<id>.json` each, the document byte for byte.
#
# A file exists as a whole or not at all, and is durable once `store` has returned. Several runs and the daemon may use the
# spool at the same time. The publisher of a firing removes it, and a second publication is harmless.
class PuppetX::Trigger::Spool
  CREATE = File::WRONLY | File::CREAT | File::EXCL | File::NOFOLLOW | File::BINARY
  READ = File::RDONLY | File::NOFOLLOW | File::NONBLOCK | File::BINARY
  MODE = 0o600
  REJECTED = 'rejected'

  # @param path [String] of the folder
  def initialize(path)
    @folder = PuppetX::Trigger::SpoolFolder.new(path)
  end

  def path
    @folder.path
  end

  # @param firing [#id, #json]
  # @param place [Place, nil] where it belongs, if not where the client settings say
  # @raise [SpoolError] and then nothing is left behind
  def store(firing, place = nil)
    @folder.prepare
    write("#{firing.id}.place", place.json) if place
    write("#{firing.id}.json", firing.json)
    @folder.sync
  rescue SystemCallError => e
    raise PuppetX::Trigger::SpoolError, "cannot write to the spool #{path}: #{e.class.new.message}. Check the " \
                                        'free space and health of its file system'
  end

  # Another process may have removed the file. A file that cannot be removed is published again, which is harmless.
  def remove(id)
    %w[json place].each { |kind| delete(@folder.file("#{id}.#{kind}")) }
  end

  # @return [Array<String>] names of files, the oldest first
  # @raise [SpoolError]
  def waiting
    return [] unless @folder.usable?

    names = Dir.children(path).select { |name| name.end_with?('.json') && !name.start_with?('.') }
    names.filter_map { |name| (time = modified(name)) && [time, name] }.sort.map(&:last)
  rescue SystemCallError => e
    raise PuppetX::Trigger::SpoolError, "cannot read the spool #{path}: #{e.class.new.message}"
  end

  # @param name [String] from `waiting`
  # @return [Document, nil] nil where somebody else has taken it meanwhile
  # @raise [InvalidFiring]
  def read(name)
    text = content(name)
    return if text.nil?

    document = PuppetX::Trigger::Document.parse(text)
    return document if name == "#{document.id}.json"

    raise PuppetX::Trigger::InvalidFiring, 'the file name is not the ID of its firing'
  end

  # @return [Place, nil] where it belongs, if not where the client settings say
  # @raise [InvalidFiring]
  def place(id)
    text = content("#{id}.place")
    text && PuppetX::Trigger::Place.parse(text)
  end

  # Sets a file aside, with the reason beside it, so that it is read only once.
  # @raise [SpoolError]
  def reject(name, why)
    rejected = PuppetX::Trigger::SpoolFolder.new(@folder.file(REJECTED))
    rejected.prepare
    File.rename(@folder.file(name), rejected.file(name))
    delete(@folder.file("#{name.delete_suffix('.json')}.place"))
    delete(rejected.file("#{name}.reason"))
    File.write(rejected.file("#{name}.reason"), "#{why}\n", mode: CREATE, perm: MODE)
  rescue Errno::ENOENT
    nil # another process has done it
  rescue SystemCallError => e
    raise PuppetX::Trigger::SpoolError, "cannot move #{name} to #{rejected.path}: #{e.class.new.message}"
  end

  private

  def write(name, text)
    temporary = @folder.file(".tmp-#{name.delete_suffix('.json')}")
    File.open(temporary, CREATE, MODE) do |file|
      file.write(text)
      file.fsync
    end
    File.rename(temporary, @folder.file(name))
  rescue Errno::EEXIST
    raise # another user's
  rescue SystemCallError
    delete(temporary)
    raise
  end

  def content(name)
    File.open(@folder.file(name), READ) do |file|
      raise PuppetX::Trigger::InvalidFiring, 'it is not a regular file' unless file.stat.file?

      file.read(PuppetX::Trigger::Document::MAX_BYTES + 1).to_s
    end
  rescue Errno::ENOENT
    nil
  rescue Errno::ELOOP
    raise PuppetX::Trigger::InvalidFiring, 'it is a symbolic link'
  rescue SystemCallError => e
    raise PuppetX::Trigger::SpoolError, "cannot read #{@folder.file(name)}: #{e.class.new.message}"
  end

  def modified(name)
    File.lstat(@folder.file(name)).mtime
  rescue Errno::ENOENT
    nil
  end

  def delete(file)
    File.delete(file)
  rescue SystemCallError
    nil
  end
end
