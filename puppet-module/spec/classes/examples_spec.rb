# frozen_string_literal: true

require 'spec_helper'

# spec/acceptance/module.test.ts of the checkout applies those that need no other machine.
Dir[File.expand_path('../../examples/*.pp', __dir__)].sort.each do |file|
  RSpec.describe "examples/#{File.basename(file)}", type: :host do
    let(:node) { 'etcd1.example.com' }
    let(:pre_condition) { File.read(file) }
    let(:facts) do
      { 'os' => { 'family' => 'Debian' }, 'networking' => { 'hostname' => 'etcd1' },
        'trigger' => { 'certificate' => { 'ca_file' => '/p/ca.pem', 'cert_file' => '/p/c.pem', 'key_file' => '/p/k.pem' } } }
    end

    it { is_expected.to compile.with_all_deps }
  end
end
