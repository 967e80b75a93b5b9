# frozen_string_literal: true

require 'json'
require 'net/http'
require 'socket'
require 'timeout'
require_relative 'errors'

# The control socket of this node's daemon: HTTP/1.1 over a Unix socket.
class PuppetX::Trigger::ControlSocket
  OPEN_TIMEOUT = 3
  # The daemon fsyncs, and for `publish` also writes to etcd, with `[etcd] request_timeout` for each step.
  READ_TIMEOUT = 30
  NETWORK_ERRORS = [SystemCallError, IOError, Timeout::Error, Net::ProtocolError, Net::HTTPBadResponse,
                    Net::HTTPHeaderSyntaxError].freeze

  # The daemon's error codes for an invalid firing.
  REFUSALS = %w[input-invalid firing-malformed].freeze

  # Net::HTTP over the socket.
  class Connection < Net::HTTP
    # The nil makes Net::HTTP ignore http_proxy of the environment.
    def self.to(path, open_timeout, read_timeout)
      new('localhost', nil, nil).tap do |http|
        http.socket_path = path
        http.open_timeout = open_timeout
        http.read_timeout = read_timeout
        http.write_timeout = read_timeout
        http.max_retries = 0
      end
    end

    attr_accessor :socket_path

    private

    def connect
      socket = Timeout.timeout(open_timeout, Net::OpenTimeout) { UNIXSocket.new(socket_path) }
      @socket = Net::BufferedIO.new(socket, read_timeout: read_timeout, write_timeout: write_timeout)
      on_connect
    end
  end

  # @param path [String]
  def initialize(path, open_timeout: OPEN_TIMEOUT, read_timeout: READ_TIMEOUT)
    @path = path
    @open_timeout = open_timeout
    @read_timeout = read_timeout
  end

  # The daemon has the firing on its disk when this returns.
  # @param json [String] the document
  # @raise [DaemonAway, InvalidFiring]
  def store(json)
    post('/v1/spool', json)
  end

  # etcd has the firing when this returns.
  # @raise [PublishError] when the daemon has it and etcd has not
  # @raise [DaemonAway, InvalidFiring]
  def publish(json)
    post('/v1/spool?publish=1', json)
  end

  # @param id [String] of a firing
  # @param silence [Numeric] seconds without a word after which this returns
  # @yieldparam outcome [Hash] every target's that has one, then each as it changes
  # @raise [PublishError] when etcd does not have the firing
  # @raise [DaemonAway]
  def follow(id, silence, &block)
    http = Connection.to(@path, @open_timeout, silence)
    http.start { http.request_get("/v1/firings/#{id}/follow") { |response| each_document(response, &block) } }
  rescue Net::ReadTimeout
    nil
  rescue *NETWORK_ERRORS => e
    raise away(e)
  end

  # Reports a Puppet run that has ended.
  # @raise [DaemonAway]
  def ended(json)
    post('/v1/runs', json)
  end

  private

  # The answer has one document on each line, and arrives in arbitrary pieces.
  def each_document(response)
    raise not_followed(response) unless response.code == '200'

    rest = +''
    response.read_body do |piece|
      rest << piece
      while (line = rest.slice!(/.*\n/))
        yield JSON.parse(line.force_encoding(Encoding::UTF_8))
      end
    end
  rescue JSON::ParserError, EncodingError
    raise PuppetX::Trigger::DaemonAway, "the program that answers on #{@path} is not the daemon triggerd"
  end

  def not_followed(response)
    error = parse(response.read_body)
    return PuppetX::Trigger::PublishError.new('etcd does not have the firing yet') if error['code'] == 'firing-not-found'

    PuppetX::Trigger::DaemonAway.new("the daemon triggerd could not follow the firing: #{advice(response, error)}")
  end

  def post(path, json)
    response = exchange(path, json)
    return if response.code.start_with?('2')

    raise refusal(response)
  rescue *NETWORK_ERRORS => e
    raise away(e)
  end

  def away(error)
    PuppetX::Trigger::DaemonAway.new("the daemon triggerd does not answer on #{@path} (#{describe(error)}). " \
                                     'Run `systemctl status triggerd`, or set `socket` in client.json to its socket')
  end

  def exchange(path, json)
    http = Connection.to(@path, @open_timeout, @read_timeout)
    http.start { http.post(path, json, 'Content-Type' => 'application/json') }
  end

  def refusal(response)
    return PuppetX::Trigger::DaemonAway.new('the daemon triggerd is too old to accept firings. Upgrade it') if response.code == '404'

    error = parse(response.body)
    return PuppetX::Trigger::InvalidFiring.new(error['message']) if REFUSALS.include?(error['code'])
    return PuppetX::Trigger::PublishError.new(advice(response, error)) if error.dig('details', 'stage') == 'stored'

    PuppetX::Trigger::DaemonAway.new("the daemon triggerd could not accept the firing: #{advice(response, error)}")
  end

  def advice(response, error)
    "#{error['message'] || "HTTP #{response.code}"}. #{error['remedy'] || "Check the daemon's log"}"
  end

  def parse(body)
    error = JSON.parse(body.to_s)['error']
    error.is_a?(Hash) ? error : {}
  rescue JSON::ParserError, NoMethodError, TypeError
    {}
  end

  def describe(error)
    case error
    when Errno::ENOENT then 'no such socket'
    when Errno::ECONNREFUSED then 'nobody listens'
    when Errno::EACCES then 'permission denied'
    when Net::OpenTimeout then "no connection within #{@open_timeout} s"
    when Timeout::Error then "no answer within #{@read_timeout} s"
    when SystemCallError then error.class.new.message
    else 'the connection was closed'
    end
  end
end
