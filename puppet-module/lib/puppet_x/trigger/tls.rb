# frozen_string_literal: true

require 'openssl'
require_relative 'errors'

# The certificates for https endpoints. The server is always verified: against ca_file, else the system's authorities.
class PuppetX::Trigger::Tls
  # @param settings [ClientSettings]
  def initialize(settings)
    @settings = settings
  end

  # @param http [Net::HTTP]
  def apply_to(http)
    http.use_ssl = true
    http.verify_mode = OpenSSL::SSL::VERIFY_PEER
    http.ca_file = readable('ca_file', @settings.ca_file) if @settings.ca_file
    http.cert = certificate
    http.key = key
  end

  private

  def certificate
    load('cert_file', @settings.cert_file) { |pem| OpenSSL::X509::Certificate.new(pem) }
  end

  def key
    load('key_file', @settings.key_file) { |pem| OpenSSL::PKey.read(pem, '') }
  end

  def load(name, file)
    yield File.read(readable(name, file)) if file
  rescue OpenSSL::OpenSSLError
    raise PuppetX::Trigger::SettingsError, "#{@settings.path}: #{name} #{file} holds no usable PEM"
  end

  def readable(name, file)
    return file if File.readable?(file)

    raise PuppetX::Trigger::SettingsError, "#{@settings.path}: #{name} #{file} can't be read"
  end
end
