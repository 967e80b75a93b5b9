# frozen_string_literal: true

require 'tmpdir'

# Gives an example its own client settings.
module Settings
  def scratch_dir
    Dir.mktmpdir('example-', SCRATCH)
  end

  # @return [String] the path of a new client.json, with a spool beside it where the values name none
  def client_json(values)
    folder = scratch_dir
    path = File.join(folder, 'client.json')
    values = JSON.generate({ spool: File.join(folder, 'spool') }.merge(values.transform_keys(&:to_sym))) if values.is_a?(Hash)
    File.write(path, values.is_a?(String) ? values : JSON.generate(values))
    path
  end

  def use_client_json(values)
    before = ENV.fetch('TRIGGERD_CLIENT_JSON', nil)
    Cleanup.defer { ENV['TRIGGERD_CLIENT_JSON'] = before }
    ENV['TRIGGERD_CLIENT_JSON'] = client_json(values)
  end

  # What may serve as credentials of a gateway.
  def client_settings(values)
    PuppetX::Trigger::ClientSettings.new('client.json', values)
  end
end
