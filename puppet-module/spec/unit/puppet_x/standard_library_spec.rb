# frozen_string_literal: true

require 'spec_helper'
require 'open3'
require 'rbconfig'

RSpec.describe 'the code that the module loads' do
  let(:lib) { File.expand_path('../../../lib', __dir__) }

  it 'is in Ruby’s standard library, not in gems' do
    script = 'Dir[File.join(ARGV.first, "puppet_x/**/*.rb")].sort.each { |file| require file }; puts $LOADED_FEATURES.grep(%r{/})'
    output, status = Open3.capture2e(RbConfig.ruby, '--disable-gems', '-e', script, lib)
    expect(status).to be_success, output
    standard = [lib, *RbConfig::CONFIG.values_at('rubylibdir', 'rubyarchdir')]
    loaded = output.lines(chomp: true)
    expect(loaded.grep(/#{lib}/).size).to be > 30
    expect(loaded.reject { |feature| feature.start_with?(*standard) }).to eq([])
  end
end
