# frozen_string_literal: true

require 'openssl'
require_relative 'errors'
require_relative 'small_file'

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
    http.cert_store = authorities
    http.cert = certificate
    http.key = key
  end

  private

  # A store of our own, not http.ca_file: Puppet gives every connection the default store of the process, which ca_file
  # would extend, so that everything in the process would trust our authority from then on.
  def authorities
    store = OpenSSL::X509::Store.new
    store.set_default_paths unless @settings.ca_file
    load('ca_file', @settings.ca_file) { store.add_file(@settings.ca_file) }
    store
  end

  def certificate
    load('cert_file', @settings.cert_file) { |pem| OpenSSL::X509::Certificate.new(pem) }
  end

  def key
    load('key_file', @settings.key_file) { |pem| OpenSSL::PKey.read(pem, '') }
  end

  def load(name, file)
    yield PuppetX::Trigger::SmallFile.read(readable(name, file)) if file
  rescue OpenSSL::OpenSSLError
    raise PuppetX::Trigger::SettingsError, "#{@settings.path}: #{name} #{file} contains no valid PEM"
  rescue SystemCallError => e
    raise PuppetX::Trigger::SettingsError, "#{@settings.path}: #{name} #{file} cannot be read: #{e.message}"
  end

  def readable(name, file)
    return file if File.readable?(file)

    raise PuppetX::Trigger::SettingsError, "#{@settings.path}: #{name} #{file} cannot be read"
  end
end
