import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Enough to keep npm's error, which is followed by a page of usage. */
const TAIL_CHARACTERS = 16_000;

/**
 * Runs a program without showing its output.
 *
 * @param {string} program
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, show?: boolean }} [options] `show`: the output goes to the terminal
 * @returns {Promise<{ ok: boolean, output: string }>} `output` is the end of what the program printed; the promise never rejects
 */
export function runCommand(program, args, options = {}) {
  return new Promise((resolve) => {
    const stdio = options.show ? 'inherit' : ['ignore', 'pipe', 'pipe'];
    const child = spawn(program, args, { cwd: options.cwd, env: options.env ?? process.env, stdio });
    let output = '';
    const keepTail = (chunk) => {
      output = (output + chunk).slice(-TAIL_CHARACTERS);
    };
    child.stdout?.setEncoding('utf8').on('data', keepTail);
    child.stderr?.setEncoding('utf8').on('data', keepTail);
    child.on('error', (error) => resolve({ ok: false, output: error.message }));
    child.on('close', (code) => resolve({ ok: code === 0, output }));
  });
}

/**
 * @param {string} program
 * @returns {string | null} its path; null if it is not on the PATH
 */
export function findOnPath(program) {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const candidate = join(folder, program);
    try {
      accessSync(candidate, constants.X_OK);
      return candidate;
    } catch {
      // It is not in this folder, but may be in the next one.
    }
  }
  return null;
}
