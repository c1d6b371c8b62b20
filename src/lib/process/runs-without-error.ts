import { execaSync } from 'execa';

/** Whether a program can be started and exits with 0. Blocks until it has ended. @param command program and arguments */
export function runsWithoutError(
  [program = '', ...args]: readonly string[],
  env: Readonly<Record<string, string>>,
): boolean {
  return !execaSync(program, args, { reject: false, extendEnv: false, env, stdio: 'ignore' }).failed;
}
