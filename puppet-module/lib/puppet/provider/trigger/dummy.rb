# frozen_string_literal: true

require_relative '../../../puppet_x/trigger/audience'

Puppet::Type.type(:trigger).provide(:dummy) do
  desc 'Fires nothing and says so. For trying out manifests; it must be asked for by name.'

  # Does nothing, visibly.
  def publish
    resource.notice("provider dummy: nothing fired to #{PuppetX::Trigger::Audience.describe(resource[:hosts])}")
  end
end
