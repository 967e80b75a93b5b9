# frozen_string_literal: true

require 'json'
require 'net/http'
require 'socket'

# An HTTP server on loopback that answers as the block says, request by request, and keeps what it was asked.
#
# The block gets path, body and headers; it returns [status, text], or :silence to keep the connection open without a
# word, or :hang_up to close it.
class StubServer
  Request = Struct.new(:path, :body, :headers)

  attr_reader :url, :requests

  def self.start(&answer)
    new(&answer).tap { |server| Cleanup.defer { server.stop } }
  end

  def initialize(&answer)
    @answer = answer
    @requests = []
    @open = []
    @server = TCPServer.new('127.0.0.1', 0)
    @url = "http://127.0.0.1:#{@server.addr[1]}"
    @thread = Thread.new { serve }
  end

  def stop
    @thread.kill
    @thread.join
    [@server, *@open].each(&:close)
  end

  private

  def serve
    loop do
      client = @server.accept
      @open << client
      request = read(client)
      respond(client, request) if request
    end
  end

  def read(client)
    path = client.gets.to_s.scrub[%r{\A[A-Z]+ (\S+) HTTP/}, 1]
    # The first words of TLS, say.
    return unless path

    headers = {}
    while (line = client.gets.chomp) && !line.empty?
      name, value = line.split(': ', 2)
      headers[name.downcase] = value
    end
    Request.new(path, client.read(headers['content-length'].to_i), headers).tap { |request| @requests << request }
  end

  def respond(client, request)
    result = @answer.call(request)
    return if result == :silence

    client.write(response(*result)) unless result == :hang_up
    @open.delete(client).close
  end

  def response(status, text)
    "HTTP/1.1 #{status} Stub\r\nContent-Length: #{text.bytesize}\r\nConnection: close\r\n\r\n#{text}"
  end
end

# Hands a request on to a real etcd.
module Forward
  def self.to(url, request)
    headers = request.headers.slice('authorization', 'content-type')
    response = Net::HTTP.start(URI(url).host, URI(url).port, nil) { |http| http.post(request.path, request.body, headers) }
    [response.code, response.body]
  end
end
