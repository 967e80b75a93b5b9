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
end
