/**
 * What the shells load. The scripts know nothing of the commands: they ask `trigger __complete WORD…`, whose last word is
 * the one to complete (see candidates.ts for the answer).
 */

const bash = String.raw`# bash completion for trigger
_trigger() {
  local line cur=\${COMP_WORDS[COMP_CWORD]}
  COMPREPLY=()
  # An “=” is a word of its own to bash; it completes what comes after it.
  [[ $cur == = ]] && cur=
  while IFS= read -r line; do
    case $line in
      :files) compopt -o filenames; mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$cur") ;;
      :commands) mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen -c -- "$cur") ;;
      *) COMPREPLY+=("\${line%%$'\t'*}") ;;
    esac
  done < <(trigger __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _trigger trigger
`;

const zsh = String.raw`#compdef trigger
_trigger() {
  local line
  local -a found
  for line in "\${(@f)$(trigger __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    case $line in
      '') ;;
      :files) _files ;;
      :commands) _command_names -e ;;
      *) found+=("\${\${line%%$'\t'*}//:/\\:}:\${line#*$'\t'}") ;;
    esac
  done
  (( $#found )) && _describe -V trigger found
}
if [[ $funcstack[1] == _trigger ]]; then _trigger "$@"; else compdef _trigger trigger; fi
`;

const fish = `# fish completion for trigger
function __trigger_candidates
    set -l words (commandline -opc) "$(commandline -ct)"
    for line in (command trigger __complete $words[2..] 2>/dev/null)
        switch $line
            case :files
                __fish_complete_path (commandline -ct)
            case :commands
                __fish_complete_command
            case '*'
                echo $line
        end
    end
end
complete --command trigger --no-files --arguments '(__trigger_candidates)'
`;

/** A dollar sign before a brace is ours in a template, and the shell’s in a script. */
const script = (text: string): string => text.replaceAll('\\${', '${');

export const completionScripts = { bash: script(bash), zsh: script(zsh), fish };
