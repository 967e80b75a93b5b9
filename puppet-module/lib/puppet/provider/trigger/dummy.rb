# frozen_string_literal: true

require_relative '../../../puppet_x/trigger/audience'

Puppet::Type.type(:trigger).provide(:dummy) do
  desc 'Fires nothing and logs that. Use it to try a manifest. Puppet never chooses this provider by itself.'

  # Logs what another provider would fire.
  def publish
    resource.notice("provider dummy: nothing fired to #{PuppetX::Trigger::Audience.describe(resource[:hosts])}")
  end
end
