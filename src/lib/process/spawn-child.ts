import { execa, type Options } from 'execa';

/** Options of every child process of Framekiln. */
export interface ChildOptions {
  /** The whole environment of the child; variables of this process are not added. */
  readonly env: Readonly<Record<string, string>>;
  /** Working folder; absent: that of this process. */
  readonly cwd?: string;
}

/**
 * Starts a child process without a shell. Its result never rejects: a failure to start is a result as well.
 *
 * @param command the program and its arguments
 */
export function spawnChild<OptionsType extends Options>(
  [program = '', ...args]: readonly string[],
  { env, cwd }: ChildOptions,
  options: OptionsType,
) {
  return execa(program, args, {
    ...options,
    buffer: false,
    reject: false,
    extendEnv: false,
    env,
    ...(cwd === undefined ? {} : { cwd }),
  });
}
