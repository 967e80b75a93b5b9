# frozen_string_literal: true

# Loaded into every Ruby of the tests (RUBYOPT in vitest.config.ts), to start Puppet in two thirds of the time.
#
# Puppet's autoloader appends to $LOADED_FEATURES. Ruby before 3.3 then throws its index of features away, and looks up the real
# path of each of a thousand files at the next `require`: 700,000 system calls in an empty run. `require` appends, too, but keeps
# the index. So what was never loaded is required instead of loaded; all else is as Puppet has it.
module QuickPuppet
  def load_file(name, env)
    file = get_file(name.to_s, env)
    path = file && File.expand_path(file)
    return super if path.nil? || $LOADED_FEATURES.include?(path)

    begin
      loaded[cleanpath(name.to_s).chomp('.rb')] = [path, File.mtime(path)]
      require(path)
      true
    rescue SystemExit, NoMemoryError
      raise
    rescue Exception => e # rubocop:disable Lint/RescueException
      message = "Could not autoload #{name}: #{e}"
      Puppet.log_exception(e, message)
      raise Puppet::Error, message, e.backtrace
    end
  end
end

TracePoint.new(:end) do |trace|
  next unless trace.path.end_with?('puppet/util/autoload.rb') && trace.self.is_a?(Class) && trace.self.name == 'Puppet::Util::Autoload'

  trace.self.singleton_class.prepend(QuickPuppet)
  trace.disable
rescue StandardError => e
  warn e.message
end.enable
