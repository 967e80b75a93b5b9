# frozen_string_literal: true

require_relative 'errors'

# Files that settings name: certificates, a key, a password. On Debian, Puppet's files are in folders of the user `puppet`, who
# can replace them by a FIFO or a device. A read therefore neither waits nor takes more than this.
module PuppetX::Trigger::SmallFile
  MAX_BYTES = 1_048_576

  # @param path [String] links are followed, as root may have made them
  # @return [String]
  # @raise [SystemCallError] also for what is no regular file, or is larger
  def self.read(path)
    File.open(path, File::RDONLY | File::NONBLOCK, encoding: 'UTF-8') do |file|
      raise Errno::EINVAL, "#{path} is not a regular file" unless file.stat.file?
      raise Errno::EFBIG, path if file.stat.size > MAX_BYTES

      text = file.read(MAX_BYTES)
      text.nil? ? +'' : text.force_encoding(Encoding::UTF_8)
    end
  end
end
