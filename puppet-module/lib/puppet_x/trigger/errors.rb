# frozen_string_literal: true

# Helpers of the Puppet module `trigger`.
module PuppetX; end

# The code of the module's type and providers. Plain Ruby with the standard library only.
module PuppetX::Trigger
  # All errors of a publication. Messages are for an administrator and never contain a payload or a password.
  class Error < StandardError; end

  # client.json, or a file that it names, is unusable.
  class SettingsError < Error; end

  # etcd does not have the firing.
  class PublishError < Error; end

  # etcd answered and refused this request. Another request may succeed.
  class RefusedError < PublishError; end

  # etcd has another firing under this ID. A retry is useless.
  class ConflictError < PublishError; end

  # No reader would accept the document. It is neither spooled nor published.
  class InvalidFiring < Error; end

  # The spool cannot be used.
  class SpoolError < Error; end

  # The node's daemon does not answer, or cannot take a firing now.
  class DaemonAway < Error; end
end
