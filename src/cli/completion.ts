import { Argument, Command } from 'commander';
import type { Cli } from './cli.ts';

/** Words that may follow, by the command words before them, such as `config set`. */
type Words = readonly (readonly [commands: string, words: readonly string[]])[];

/** `framekiln completion`: prints a script with which a shell completes commands and options. */
export function completionCommand(cli: Cli): Command {
  return new Command('completion')
    .description('Print a script that completes commands and options in the shell')
    .addArgument(new Argument('<shell>', 'your shell').choices(['bash', 'zsh', 'fish']))
    .addHelpText(
      'after',
      '\nFor bash, add to ~/.bashrc:  source <(framekiln completion bash)\nFor zsh, add to ~/.zshrc:  source <(framekiln completion zsh)\nFor fish:  framekiln completion fish > ~/.config/fish/completions/framekiln.fish',
    )
    .action((shell: string, _, command: Command) => {
      const words = wordsOf(command.parent ?? command);
      cli.print(shell === 'fish' ? fishScript(words) : shellScript(words, shell === 'zsh'));
    });
}

/** The words of a command and of all its subcommands. The script is static: to ask the program would take half a second. */
function wordsOf(program: Command, path: readonly string[] = []): Words {
  const options = [...program.options, ...(program.parent?.options ?? [])].flatMap(({ long }) => long ?? []);
  const names = program.commands.map((each) => each.name());
  return [
    [path.join(' '), [...new Set([...names, ...options, '--help'])]],
    ...program.commands.flatMap((each) => wordsOf(each, [...path, each.name()])),
  ];
}

/** For bash, and for zsh with its emulation of bash. Files are completed where no word fits. */
function shellScript(words: Words, isZsh: boolean): string {
  const cases = words.map(([commands, each]) => `    '${commands}') words='${each.join(' ')}' ;;`);
  return [
    ...(isZsh ? ['autoload -U +X compinit && compinit', 'autoload -U +X bashcompinit && bashcompinit'] : []),
    '_framekiln() {',
    "  local word commands='' words=''",
    '  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
    '    case "$word" in -*) ;; *) commands="${commands:+$commands }$word" ;; esac',
    '  done',
    '  case "$commands" in',
    ...cases,
    '  esac',
    '  COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))',
    '}',
    'complete -o default -F _framekiln framekiln',
  ].join('\n');
}

function fishScript(words: Words): string {
  return words
    .flatMap(([commands, each]) => {
      const path = commands === '' ? [] : commands.split(' ');
      const condition =
        path.length === 0
          ? '__fish_use_subcommand'
          : path.map((name) => `__fish_seen_subcommand_from ${name}`).join('; and ');
      return each.map((word) =>
        word.startsWith('--')
          ? `complete -c framekiln -n '${condition}' -l ${word.slice(2)}`
          : `complete -c framekiln -f -n '${condition}' -a ${word}`,
      );
    })
    .join('\n');
}
