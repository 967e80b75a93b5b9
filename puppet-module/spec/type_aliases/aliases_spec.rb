# frozen_string_literal: true

require 'spec_helper'

{
  'Trigger::Hostname' => [%w[lb01 LB01.example.com _a-b.c], ['', 'a b', '-a', 'a-', 'a..b', "a\n", 'a' * 64]],
  'Trigger::Endpoint' => [%w[http://a:2379 https://[::1]:1 http://a/], ['a:1', 'http://u:p@a:1', 'http://a:1/v3', "http://a\n", '']],
  'Trigger::Keyprefix' => [%w[/trigger /a/b.c], ['', '/', 'a', '/a/', '/a b', "/a\n"]],
  'Trigger::Plugin' => [%w[puppet command/command a.b ..a], ['', '/a', 'a/', '..', 'a/../b', 'a b', "a\n"]],
  'Trigger::Path' => [['/a', '/a b/c'], ['', '/', 'a', '//a', "/a\nb"]],
}.each do |name, (good, bad)|
  RSpec.describe name, type: :type_alias do
    it { is_expected.to allow_values(*good) }

    bad.each do |value|
      it { is_expected.not_to allow_value(value) }
    end
  end
end
