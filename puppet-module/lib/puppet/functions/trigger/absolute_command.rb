# frozen_string_literal: true

# @summary Completes a relative manifest of `puppet apply` in a `run_cmd`, because jobs run in `/`. Any other relative path
# fails the catalog, so that it cannot fail the run.
#
# @api private
Puppet::Functions.create_function(:'trigger::absolute_command') do
  # @param command The command line, with balanced quotes.
  # @param folder The directory of a relative manifest.
  dispatch :absolute do
    param 'String[1]', :command
    param 'String[1]', :folder
    return_type 'String[1]'
  end

  def absolute(command, folder)
    words = command.scan(word_pattern)
    refuse_program(words.first.to_s)
    from = apply_at(words)
    return command if from.nil?

    place = -1
    command.gsub(word_pattern) do |word|
      place += 1
      place > from ? completed(word, words[place - 1], folder) : word
    end
  end

  # Splits like the daemon: quotes, no escapes.
  def word_pattern
    /(?:[^\s'"]|'[^']*'|"[^"]*")+/
  end

  # Options of `puppet apply` that take paths. `logdest` can be a keyword, and `--execute` is Puppet code.
  def places
    %w[basemodulepath codedir confdir config environmentpath hiera_config manifest modulepath rundir ssldir vardir]
  end

  def refuse_program(word)
    program = text(word)
    return unless program.include?('/') && !program.start_with?('/') && !program.include?('=')

    fail_for(program)
  end

  # The index of the word `apply` after a `puppet`; nil for another command.
  def apply_at(words)
    texts = words.map { |word| text(word) }
    texts.each_cons(2).find_index { |program, verb| File.basename(program) == 'puppet' && verb == 'apply' }&.succ
  end

  def completed(word, before, folder)
    value = text(word)
    option, place = value.match(/\A--(\w+)(?:=(.*))?\z/m)&.captures
    return word if %w[-e --execute].include?(text(before))
    return refuse_relative(word, place) if places.include?(option) && place
    return word if value.start_with?('-', '/')
    return refuse_relative(word, value) if places.include?(text(before).delete_prefix('--'))

    value.end_with?('.pp') ? quoted(File.expand_path(value, folder)) : word
  end

  def refuse_relative(word, place)
    relative = place.split(':').find { |each| !each.start_with?('/') }
    relative.nil? ? word : fail_for(relative)
  end

  def fail_for(path)
    raise ArgumentError, "trigger::watch::etcd: run_cmd has the relative path “#{path}”, and jobs run in /. Give an absolute path"
  end

  def text(word)
    word.gsub(/'([^']*)'|"([^"]*)"/) { Regexp.last_match(1) || Regexp.last_match(2) }
  end

  def quoted(path)
    return path unless path.match?(/[\s'"]/)

    path.include?('"') ? "'#{path}'" : %("#{path}")
  end
end
