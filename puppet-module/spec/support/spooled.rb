# frozen_string_literal: true

# A spool in a folder of its own, and what lies in it.
module Spooled
  def spool_path
    @spool_path ||= File.join(scratch_dir, 'spool')
  end

  # @return [Array<String>] names of everything in it
  def spooled(path = spool_path)
    Dir.exist?(path) ? Dir.children(path).sort : []
  end

  # Puts a firing there, as an earlier run would have left it.
  def leave_in_spool(firing = SampleFiring.to(%w[lb01]), place: nil)
    PuppetX::Trigger::Spool.new(spool_path).store(firing, place)
    firing
  end

  # Mounts a small file system there for the example.
  def mount_small(path, size: '64k')
    FileUtils.mkdir_p(path, mode: 0o700)
    system('mount', '-t', 'tmpfs', '-o', "size=#{size},mode=0700", 'tmpfs', path) || raise("cannot mount #{path}")
    Cleanup.defer { system('umount', path) || raise("cannot unmount #{path}") }
  end
end
