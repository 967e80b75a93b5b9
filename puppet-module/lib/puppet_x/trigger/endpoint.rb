# frozen_string_literal: true

require 'json'
require 'net/http'
require 'openssl'
require 'uri'
require_relative 'answer'
require_relative 'failure'

# One etcd endpoint, used through its JSON gateway (/v3/…).
class PuppetX::Trigger::Endpoint
  OPEN_TIMEOUT = 3
  READ_TIMEOUT = 10
  NETWORK_ERRORS = [SystemCallError, SocketError, IOError, Timeout::Error, Net::ProtocolError,
                    Net::HTTPBadResponse, Net::HTTPHeaderSyntaxError].freeze

  LOOK_TIMEOUT = 1
  OTHER_PROTOCOL = /unexpected eof|SYSCALL|wrong version number|unknown protocol|packet length|reset by peer|connection was closed/.freeze
  # OpenSSL's messages, by their meaning for the module.
  TLS_KINDS = {
    /certificate has expired|certificate is not yet valid/ => :certificate_expired,
    /hostname mismatch|ip address mismatch|does not match the server certificate/i => :certificate_name,
    /self.signed certificate|unable to get (?:local )?issuer|unable to verify/ => :certificate_authority,
  }.freeze

  attr_reader :url

  # @param url [String] such as https://etcd1.example.com:2379
  # @param tls [Tls] what to use where the URL says https
  def initialize(url, tls: nil, open_timeout: OPEN_TIMEOUT, read_timeout: READ_TIMEOUT)
    @url = url
    @uri = URI.parse(url)
    @tls = tls
    @open_timeout = open_timeout
    @read_timeout = read_timeout
  end

  # @param path [String] such as /v3/kv/txn
  # @param body [Hash] the request
  # @param token [String, nil] from /v3/auth/authenticate
  # @return [Hash] the answer
  # @raise [Failure]
  def post(path, body, token: nil)
    http = connect
    PuppetX::Trigger::Answer.read(exchange(http, request(path, body, token)))
  rescue PuppetX::Trigger::Failure => e
    raise explained(e)
  ensure
    http&.finish
  end

  private

  # Probes the kind of endpoint where the failure alone does not show it.
  def explained(failure)
    kind = failure.kind
    kind = :grpc_proxy if kind == :gateway_missing && !version?
    kind = :wants_https if kind == :unanswered && @uri.scheme == 'http' && !failure.message.include?('timed out') && tls?
    kind = :wants_http if before_tls?(failure) && OTHER_PROTOCOL.match?(failure.message) && http?
    kind == failure.kind ? failure : PuppetX::Trigger::Failure.new(kind, failure.message)
  end

  def before_tls?(failure)
    @uri.scheme == 'https' && %i[tls unreachable].include?(failure.kind)
  end

  # Every member reports its version, with and without the gateway.
  def version?
    http = connection.start
    http.request(Net::HTTP::Get.new('/version')).code == '200'
  rescue OpenSSL::SSL::SSLError, *NETWORK_ERRORS
    false
  ensure
    http&.finish
  end

  def http?
    http = Net::HTTP.new(@uri.hostname, @uri.port, nil)
    http.open_timeout = http.read_timeout = LOOK_TIMEOUT
    http.max_retries = 0
    # A TLS server may answer plain HTTP with 400.
    http.start { |started| started.head('/health') }.code != '400'
  rescue *NETWORK_ERRORS
    false
  end

  # The probe sends no data, so the server need not be verified.
  def tls?
    http = Net::HTTP.new(@uri.hostname, @uri.port, nil)
    http.use_ssl = true
    http.verify_mode = OpenSSL::SSL::VERIFY_NONE
    http.open_timeout = http.ssl_timeout = LOOK_TIMEOUT
    http.start { true }
  rescue OpenSSL::SSL::SSLError => e
    e.message.include?('alert')
  rescue *NETWORK_ERRORS
    false
  end

  def connect
    connection.start
  rescue OpenSSL::SSL::SSLError => e
    raise PuppetX::Trigger::Failure.new(tls_kind(e.message), e.message)
  rescue *NETWORK_ERRORS => e
    raise PuppetX::Trigger::Failure.new(:unreachable, describe(e))
  end

  def exchange(http, request)
    http.request(request)
  rescue OpenSSL::SSL::SSLError => e
    raise PuppetX::Trigger::Failure.new(:tls, e.message)
  rescue *NETWORK_ERRORS => e
    raise PuppetX::Trigger::Failure.new(:unanswered, "no answer: #{describe(e)}")
  end

  # The nil makes Net::HTTP ignore http_proxy of the environment: etcd is not on the internet.
  def connection
    http = Net::HTTP.new(@uri.hostname, @uri.port, nil)
    http.open_timeout = @open_timeout
    http.read_timeout = @read_timeout
    http.write_timeout = @read_timeout
    http.max_retries = 0
    @tls&.apply_to(http) if @uri.scheme == 'https'
    http
  end

  def request(path, body, token)
    request = Net::HTTP::Post.new(path, 'Content-Type' => 'application/json')
    request['Authorization'] = token if token
    request.body = JSON.generate(body)
    request
  end

  def tls_kind(message)
    TLS_KINDS.find { |pattern, _| pattern.match?(message) }&.last || :tls
  end

  def describe(error)
    case error
    when Errno::ECONNREFUSED then 'connection refused'
    when Net::OpenTimeout then "no connection within #{@open_timeout} s"
    when Timeout::Error then "timed out after #{@read_timeout} s"
    when EOFError then 'the connection was closed'
    when SystemCallError then error.class.new.message
    when SocketError then error.message
    else error.class.name
    end
  end
end
