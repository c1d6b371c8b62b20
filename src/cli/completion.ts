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
    .action((shell: keyof typeof SCRIPTS, _, command: Command) => {
      const words = wordsOf(command.parent ?? command);
      cli.print(SCRIPTS[shell](words));
    });
}

/** The words of a command and of all its subcommands. The script is static: to ask the program would take half a second. */
function wordsOf(program: Command, path: readonly string[] = []): Words {
  const options = optionsOf(program);
  const names = program.commands.map((each) => each.name());
  return [
    [path.join(' '), [...new Set([...names, ...options, '--help'])]],
    ...program.commands.flatMap((each) => wordsOf(each, [...path, each.name()])),
  ];
}

/** Its own options and those of the commands above it. */
function optionsOf({ options, parent }: Command): string[] {
  return [...options.flatMap(({ long }) => long ?? []), ...(parent === null ? [] : optionsOf(parent))];
}

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript };

/** For bash. Files are completed where no word fits. */
function bashScript(words: Words): string {
  return [
    '_framekiln() {',
    ...choice(words, '"${COMP_WORDS[@]:1:COMP_CWORD-1}"'),
    '  COMPREPLY=($(compgen -W "$names" -- "${COMP_WORDS[COMP_CWORD]}"))',
    '}',
    'complete -o default -F _framekiln framekiln',
  ].join('\n');
}

/** For zsh, both as a file that ~/.zshrc reads and as a function `_framekiln` in a folder of `fpath`. */
function zshScript(words: Words): string {
  return [
    '#compdef framekiln',
    '_framekiln() {',
    ...choice(words, '"${(@)words[2,CURRENT-1]}"'),
    '  compadd -- ${=names} || _files',
    '}',
    'if [[ "${funcstack[1]}" == _framekiln ]]; then',
    '  _framekiln "$@"',
    'else',
    '  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }',
    '  compdef _framekiln framekiln',
    'fi',
  ].join('\n');
}

/** Lines that set `names` to the words that may follow. Words that are no commands, such as values and files, are ignored. */
function choice(words: Words, typed: string): string[] {
  const paths = words.map(([commands]) => `'${commands}'`).filter((path) => path !== "''");
  return [
    "  local word commands='' names=''",
    `  for word in ${typed}; do`,
    '    case "${commands:+$commands }$word" in',
    `      ${paths.join('|')}) commands="\${commands:+$commands }$word" ;;`,
    '    esac',
    '  done',
    '  case "$commands" in',
    ...words.map(([commands, each]) => `    '${commands}') names='${each.join(' ')}' ;;`),
    '  esac',
  ];
}

function fishScript(words: Words): string {
  const seen = '__fish_seen_subcommand_from';
  const [[, top] = ['', []]] = words;
  const names = top.filter((word) => !word.startsWith('-'));
  return words
    .flatMap(([commands, each]) => {
      const condition =
        commands === ''
          ? `not ${seen} ${names.join(' ')}`
          : commands
              .split(' ')
              .map((name) => `${seen} ${name}`)
              .join('; and ');
      return each.map((word) =>
        word.startsWith('--')
          ? `complete -c framekiln -n '${condition}' -l ${word.slice(2)}`
          : `complete -c framekiln -f -n '${condition}' -a ${word}`,
      );
    })
    .join('\n');
}
