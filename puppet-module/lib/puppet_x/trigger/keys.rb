# frozen_string_literal: true

require_relative 'errors'

# The names of the keys that a publisher writes and reads; the whole keyspace is in docs/reference/keyspace.md.
class PuppetX::Trigger::Keys
  # @param prefix [String] such as `/trigger`
  def initialize(prefix)
    @root = "#{prefix}/v1"
  end

  # @return [String] the firing; creating this key is the commit point
  def firing(id)
    "#{@root}/firings/#{id}"
  end

  # @return [String] the whole document of a firing whose own key has no list of targets
  def targets(id)
    "#{@root}/targets/#{id}"
  end

  # @return [String] marker of a chunked publication that is not committed yet
  def publishing(id)
    "#{@root}/publishing/#{id}"
  end

  # @return [String] prefix of what the targets say about the firing
  def outcomes(id)
    "#{@root}/outcomes/#{id}/"
  end

  # @return [String] the firing is owed to this node
  def inbox(node, id)
    "#{@root}/inbox/#{node}/#{id}"
  end
end
