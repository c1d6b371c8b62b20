import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createProgram } from '../../../src/cli/program.ts';
import { ExitCode } from '../../../src/domain/exit-codes.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

type Shell = 'bash' | 'zsh' | 'fish';

/** Shell code that prints the completions of a command line whose last word has been begun. */
const ASK: Record<Shell, (file: string, words: readonly string[]) => string> = {
  bash: (file, words) =>
    `source '${file}'; COMP_WORDS=(${words.join(' ')}); COMP_CWORD=${words.length - 1}; _framekiln; printf '%s\n' "\${COMPREPLY[@]}"`,
  // Outside of the line editor, completions cannot be asked for, so the builtin is replaced by one that prints.
  zsh: (file, words) =>
    `compdef() { : }; source '${file}'; words=(${words.join(' ')}); CURRENT=${words.length}
    compadd() { shift; print -l -- \${(M)@:#\${words[CURRENT]}*} }; _framekiln`,
  fish: (file, words) => `source '${file}'; complete -C '${words.join(' ')}' | string replace -r '\t.*' ''`,
};

async function scriptOf(shell: Shell): Promise<string> {
  const lines: string[] = [];
  const print = (line: string): void => void lines.push(line);
  const state = { interactive: false, columns: Infinity, now: Date.now, exitCode: ExitCode.ok };
  await createProgram({ ...state, print, complain: print }).parseAsync(['completion', shell], {
    from: 'user',
  });
  return lines.join('\n');
}

for (const shell of ['bash', 'zsh', 'fish'] as const) {
  const isMissing = spawnSync(shell, ['-c', 'true']).status !== 0;
  it.skipIf(isMissing)(
    `${shell} completes commands and options${isMissing ? ' (not installed)' : ''}`,
    async () => {
      const file = join(temporaryFolder(), 'completion');
      writeFileSync(file, await scriptOf(shell));
      const complete = (...words: string[]): string[] => {
        const { stdout, stderr } = spawnSync(shell, ['-c', ASK[shell](file, words)], { encoding: 'utf8' });
        expect(stderr).toBe('');
        return stdout.split('\n').filter(Boolean).sort();
      };
      expect(complete('framekiln', 'ser')).toEqual(['service']);
      expect(complete('framekiln', 'config', 's')).toEqual(['set', 'show']);
      expect(complete('framekiln', 'models', 'pull', '--fr')).toEqual(['--from']);
      // Options of the program are taken after any command.
      expect(complete('framekiln', 'config', 'set', '--ho')).toEqual(['--home']);
      // Values and files are not taken for commands.
      expect(complete('framekiln', '--home', '/srv', 'stat')).toEqual(['status']);
      expect(complete('framekiln', 'add', 'clip.mp4', '--sca')).toEqual(['--scale']);
    },
  );
}
