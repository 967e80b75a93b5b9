# frozen_string_literal: true

# Helpers of the Puppet module `trigger`.
module PuppetX; end

# What the module's type and providers are made of. Plain Ruby, standard library only.
module PuppetX::Trigger
  # Whatever can go wrong on the way to etcd. Messages are for an administrator and never hold a payload or a password.
  class Error < StandardError; end

  # client.json, or a file that it names, is unusable.
  class SettingsError < Error; end

  # The firing did not get into etcd.
  class PublishError < Error; end

  # etcd answered, and does not want this request: another one may fare better.
  class RefusedError < PublishError; end

  # etcd has another firing under this id. Trying again is useless.
  class ConflictError < PublishError; end

  # No reader would take the document: it is neither spooled nor published.
  class InvalidFiring < Error; end

  # The spool cannot be used.
  class SpoolError < Error; end

  # The node's daemon does not answer, or cannot take a firing now.
  class DaemonAway < Error; end
end
