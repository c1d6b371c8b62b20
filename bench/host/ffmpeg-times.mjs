import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Path of a program. */
export function findProgram(name) {
  return execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
}

/** What a call of ffmpeg is for, by its arguments, which are joined with spaces. */
const STAGES = [
  ['encode', (args) => args.includes(' -f rawvideo -pixel_format ')],
  ['decode', (args) => args.includes(' -f rawvideo pipe:1')],
  ['mux', (args) => args.includes(' -i pipe:0 ')],
  ['verify segments', (args) => args.includes('/segments/')],
  ['final check', (args, output) => args.includes(`file:${output}`)],
  ['frame index', (args) => args.includes(' -f framehash ')],
];

/** Programs named ffmpeg and ffprobe that note the CPU time of each call of the real ones. */
export class FfmpegTimes {
  #log;
  #output;

  /** @param output folder of the finished files */
  constructor(folder, output) {
    this.folder = folder;
    this.#log = join(folder, 'times');
    this.#output = output;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    for (const name of ['ffmpeg', 'ffprobe']) this.#wrap(name);
  }

  #wrap(name) {
    // `times` prints the time of the shell, then that of its children; in a subshell it would print other times. The line is
    // written whole, because other calls write to the same file.
    const script = `#!/bin/bash
${findProgram(name)} "$@"
code=$?
times > ${this.#log}.$$
line="$(tail -n 1 ${this.#log}.$$) ${name} $(printf '%s ' "$@" | tr '\\n' ' ')"
[ \${#line} -gt 3500 ] && line="\${line:0:1500} … \${line: -1500}"
echo "$line" >> ${this.#log}
exit $code
`;
    writeFileSync(join(this.folder, name), script, { mode: 0o755 });
  }

  /** CPU time in ms by stage. */
  read() {
    const times = new Map();
    if (!existsSync(this.#log)) return times;
    for (const line of readFileSync(this.#log, 'utf8').trim().split('\n')) {
      const [user, system] = line.split(' ').map(milliseconds);
      const [stage] = STAGES.find(([, isStage]) => isStage(line, this.#output)) ?? ['other calls'];
      const name = `ffmpeg: ${stage}`;
      times.set(name, (times.get(name) ?? 0) + user + system);
    }
    return times;
  }
}

/** Parses a time as bash prints it: `0m1.250s`. */
function milliseconds(text) {
  const [minutes, seconds] = text.split('m').map(Number.parseFloat);
  return (minutes * 60 + seconds) * 1000;
}
