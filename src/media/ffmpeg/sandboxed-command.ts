import { findProgram } from '../../lib/process/find-program.ts';
import { runsWithoutError } from '../../lib/process/runs-without-error.ts';
import { sandboxArguments, type SandboxAccess } from './sandbox.ts';

let bubblewrapWorks: boolean | null = null;

/**
 * The command that runs a program in bubblewrap.
 *
 * @returns null where bubblewrap is not installed, or is not allowed to work, as in many containers
 */
export function sandboxedCommand(
  program: string,
  access: SandboxAccess,
  env: Readonly<Record<string, string>>,
): string[] | null {
  const bubblewrap = findProgram('bwrap', env['PATH']);
  const found = findProgram(program, env['PATH']);
  if (bubblewrap === null || found === null) return null;
  bubblewrapWorks ??= runsWithoutError(
    [bubblewrap, ...sandboxArguments(found, { reads: found }), '-version'],
    env,
  );
  return bubblewrapWorks ? [bubblewrap, ...sandboxArguments(found, access)] : null;
}
