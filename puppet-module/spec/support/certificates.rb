# frozen_string_literal: true

require 'fileutils'
require 'openssl'
require 'tmpdir'

# An authority, and certificates for a server on 127.0.0.1 and for a client, as PEM files; that of the server `expired` is over.
class Certificates
  def initialize
    @folder = Dir.mktmpdir('tls-', SCRATCH)
    @authority_key = new_key
    @authority = certificate([%w[CN ca]], @authority_key, 'basicConstraints' => 'CA:TRUE', 'keyUsage' => 'keyCertSign,cRLSign')
    write('ca.crt', @authority)
    server = { 'subjectAltName' => 'IP:127.0.0.1', 'extendedKeyUsage' => 'serverAuth,clientAuth' }
    issue('server', server)
    issue('expired', server, ends: Time.now - 60)
    issue('client', { 'extendedKeyUsage' => 'clientAuth' })
    issue('nameless', { 'extendedKeyUsage' => 'clientAuth', 'subjectAltName' => 'DNS:web01.example.com' }, subject: [])
  end

  def path(name)
    File.join(@folder, name)
  end

  # Puts certificate, key and authority where Puppet has them.
  def install(name, ssldir)
    issue(name, { 'subjectAltName' => "DNS:#{name}", 'extendedKeyUsage' => 'clientAuth,serverAuth' })
    { 'ca.crt' => 'certs/ca.pem', "#{name}.crt" => "certs/#{name}.pem", "#{name}.key" => "private_keys/#{name}.pem" }.each do |from, to|
      FileUtils.mkdir_p(File.dirname(File.join(ssldir, to)))
      FileUtils.cp(path(from), File.join(ssldir, to))
    end
  end

  private

  def issue(name, extensions, subject: [['CN', name]], ends: Time.now + 3600)
    key = new_key
    write("#{name}.key", key)
    write("#{name}.crt", certificate(subject, key, extensions, ends))
  end

  def new_key
    OpenSSL::PKey::EC.generate('prime256v1')
  end

  def write(name, item)
    File.write(path(name), item.to_pem)
  end

  def certificate(subject, key, extensions, ends = Time.now + 3600)
    certificate = OpenSSL::X509::Certificate.new
    certificate.version = 2
    certificate.serial = rand(1..(2**60))
    certificate.subject = OpenSSL::X509::Name.new(subject)
    certificate.issuer = @authority ? @authority.subject : certificate.subject
    certificate.public_key = OpenSSL::PKey.read(key.public_to_der)
    certificate.not_before = Time.now - 3600
    certificate.not_after = ends
    extend(certificate, extensions)
    certificate.sign(@authority_key, OpenSSL::Digest.new('SHA256'))
  end

  def extend(certificate, extensions)
    factory = OpenSSL::X509::ExtensionFactory.new(@authority || certificate, certificate)
    extensions.each { |name, value| certificate.add_extension(factory.create_extension(name, value, name != 'subjectAltName')) }
  end
end
