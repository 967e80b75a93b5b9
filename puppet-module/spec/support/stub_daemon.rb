# frozen_string_literal: true

require 'json'
require 'socket'

# A daemon's control socket that answers as the block says: [status, document], or :silence, or :hang_up.
class StubDaemon
  Request = Struct.new(:line, :headers, :body)

  attr_reader :path, :requests

  def self.start(path, &answer)
    new(path, &answer).tap { |daemon| Cleanup.defer { daemon.stop } }
  end

  def initialize(path, &answer)
    @path = path
    @answer = answer
    @requests = []
    @open = []
    @server = UNIXServer.new(path)
    @thread = Thread.new { loop { respond(@server.accept.tap { |client| @open << client }) } }
  end

  def stop
    @thread.kill
    @thread.join
    [@server, *@open].each(&:close)
  end

  private

  def respond(client)
    line = client.gets.chomp
    headers = client.each_line("\r\n", chomp: true).take_while { |header| !header.empty? }.to_h { |header| header.split(': ', 2) }
    headers.transform_keys!(&:downcase)
    request = Request.new(line, headers, client.read(headers['content-length'].to_i))
    @requests << request
    status, document = @answer.call(request)
    return if status == :silence

    text = "#{JSON.generate(document)}\n"
    unless status == :hang_up
      client.write("HTTP/1.1 #{status} Stub\r\nContent-Length: #{text.bytesize}\r\nConnection: close\r\n\r\n#{text}")
    end
    @open.delete(client).close
  end
end
