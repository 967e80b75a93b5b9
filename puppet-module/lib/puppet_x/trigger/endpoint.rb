# frozen_string_literal: true

require 'json'
require 'net/http'
require 'openssl'
require 'uri'
require_relative 'answer'
require_relative 'failure'

# One etcd endpoint, spoken to through its JSON gateway (/v3/…).
class PuppetX::Trigger::Endpoint
  OPEN_TIMEOUT = 3
  READ_TIMEOUT = 10
  NETWORK_ERRORS = [SystemCallError, SocketError, IOError, Timeout::Error, Net::ProtocolError,
                    Net::HTTPBadResponse, Net::HTTPHeaderSyntaxError].freeze

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
  ensure
    http&.finish
  end

  private

  def connect
    connection.start
  rescue OpenSSL::SSL::SSLError => e
    raise PuppetX::Trigger::Failure.new(:tls, e.message)
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

  # The nil keeps http_proxy of the environment out of it: etcd is not the internet.
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
