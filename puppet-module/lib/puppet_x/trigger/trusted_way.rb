# frozen_string_literal: true

require 'etc'
require 'pathname'
require_relative 'errors'

# Whether a user other than root and the run's own user could replace a folder of the module, by renaming a folder above it. The
# daemon has the same rule.
module PuppetX::Trigger::TrustedWay
  OTHERS_WRITE = 0o022
  ALL_WRITE = 0o002
  STICKY = 0o1000
  # The maximum number of links that Linux follows.
  MAX_LINKS = 40

  module_function

  # @param folder [String] absolute
  # @return [Array(String, String), nil] what is wrong with a folder or a link above, and what to do; nil where nothing is
  def parents_problem(folder)
    done = Pathname('/')
    rest = names(File.dirname(folder))
    links = 0
    problem = problem_of(done)
    until problem || rest.empty?
      here = done + rest.shift
      problem = problem_of(here)
      target = target_of(here)
      next done = here if target.nil?

      links += 1
      return ["#{folder} has too many symbolic links above it", 'Use the real path of the directory'] if links > MAX_LINKS

      rest = names(target) + rest
      done = Pathname('/') if target.start_with?('/')
    end
    problem
  end

  def names(path)
    path.split('/').reject { |name| name.empty? || name == '.' }
  end

  def target_of(path)
    path.readlink.to_s
  rescue SystemCallError
    nil
  end

  # A missing path belongs to nobody.
  def problem_of(path)
    stat = path.lstat
    return ["#{path} belongs to user #{stat.uid}", "Run: chown root #{path}"] unless [0, Process.euid].include?(stat.uid)
    return if stat.symlink? || stat.mode.anybits?(STICKY) || (stat.mode & others_write(stat)).zero?

    ["#{path} can be written by its group or by others", "Run: chmod go-w #{path}"]
  rescue Errno::ENOENT
    nil
  end

  # A user's own group has no other members, and on many systems it may write to everything that the user makes.
  def others_write(stat)
    group_name(stat.gid) == user_name(stat.uid) ? ALL_WRITE : OTHERS_WRITE
  end

  def group_name(gid)
    Etc.getgrgid(gid).name
  rescue ArgumentError
    gid.to_s
  end

  def user_name(uid)
    Etc.getpwuid(uid).name
  rescue ArgumentError
    uid.to_s
  end
end
