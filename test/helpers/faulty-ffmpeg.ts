import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * A PATH on which ffmpeg fails once: the first call whose arguments contain `when` runs the shell script `instead`, in
 * which "$real" is the real ffmpeg.
 */
export function faultyFfmpeg(folder: string, when: string, instead: string): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  const real = execFileSync('sh', ['-c', 'command -v ffmpeg'], { encoding: 'utf8' }).trim();
  writeFileSync(
    join(bin, 'ffmpeg'),
    `#!/bin/sh
real=${real}
case " $* " in *${when.replaceAll(' ', '\\ ')}*) if mkdir ${join(folder, 'has-failed')} 2>/dev/null; then ${instead}; fi;; esac
exec "$real" "$@"
`,
  );
  chmodSync(join(bin, 'ffmpeg'), 0o755);
  return `${bin}${delimiter}${process.env['PATH'] ?? ''}`;
}
