# frozen_string_literal: true

require 'spec_helper'
require 'puppet_x/trigger/text'

RSpec.describe PuppetX::Trigger::Text do
  it('leaves nothing alone') { expect(described_class.clip(nil)).to be_nil }
  it('makes a text of a number') { expect(described_class.clip(7)).to eq('7') }
  it('replaces bytes that are no UTF-8') { expect(described_class.clip("a\xff".b)).to eq("a\uFFFD") }
  it('keeps 1000 characters') { expect(described_class.clip('ü' * 1000)).to eq('ü' * 1000) }
  it('cuts what is longer, visibly') { expect(described_class.clip('ü' * 1001)).to eq("#{'ü' * 999}…") }
end
