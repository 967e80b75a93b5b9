# frozen_string_literal: true

# @summary A `run_cmd` with the manifest of `puppet apply` below a folder, where the manifest's path is relative: jobs run in `/`. A path
# that the function does not know how to complete fails the catalogue instead of the run.
#
# @api private
Puppet::Functions.create_function(:'trigger::absolute_command') do
  # @param command The command line, with balanced quotes.
  # @param folder Where a relative manifest is.
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

  # As the daemon splits the line: quotes, and no escapes.
  def word_pattern
    /(?:[^\s'"]|'[^']*'|"[^"]*")+/
  end

  # Options of `puppet apply` that name places. `logdest` may be a word, and `--execute` is Puppet code.
  def places
    %w[basemodulepath codedir confdir config environmentpath hiera_config manifest modulepath rundir ssldir vardir]
  end

  def refuse_program(word)
    program = text(word)
    return unless program.include?('/') && !program.start_with?('/') && !program.include?('=')

    fail_for(program)
  end

  # Where the word `apply` is, behind a Puppet; nil: this is another command.
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
    raise ArgumentError, "trigger::watch::etcd: run_cmd has the relative path “#{path}”, and jobs run in /; give an absolute path"
  end

  def text(word)
    word.gsub(/'([^']*)'|"([^"]*)"/) { Regexp.last_match(1) || Regexp.last_match(2) }
  end

  def quoted(path)
    return path unless path.match?(/[\s'"]/)

    path.include?('"') ? "'#{path}'" : %("#{path}")
  end
end
