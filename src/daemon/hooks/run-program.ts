import { userEnvironment } from '../../config/environment.ts';
import type { Home } from '../../config/home.ts';
import type { EndedJob } from '../../domain/ended-job.ts';
import { toError } from '../../domain/errors.ts';
import { startCaptured, type CapturedProcess } from '../../lib/process/captured-process.ts';
import { fillTemplate } from './fill-template.ts';

/** Characters of standard error in a message; the last ones. */
const ERROR_CHARS = 300;

export interface ProgramHook {
  /** The program and its arguments, with placeholders in the arguments. */
  readonly command: readonly string[];
  readonly timeoutMs: number;
  readonly home: Home;
  /** Kills the program. */
  readonly signal: AbortSignal;
}

/**
 * Runs the program of a hook, without a shell, in the home folder. It gets the environment of the daemon and the end of
 * the job in variables. After `timeoutMs`, it is killed with all programs that it has started.
 *
 * @returns why it failed, or null
 */
export async function runProgram(
  ended: EndedJob,
  { command, timeoutMs, home, signal }: ProgramHook,
): Promise<string | null> {
  const [program = '', ...args] = command;
  const filled = [program, ...args.map((text) => fillTemplate(text, ended))];
  const env = { ...userEnvironment(), ...jobVariables(ended), FRAMEKILN_HOME: home.root };
  let child: CapturedProcess;
  try {
    child = startCaptured(filled, { env, cwd: home.root, timeoutMs });
  } catch (error) {
    // Such as for a zero byte in an argument.
    return `${program} cannot be started: ${toError(error).message}`;
  }
  const end = (): void => void child.end();
  signal.addEventListener('abort', end);
  if (signal.aborted) end();
  const { outcome, exitCode, stderr } = await child.ended;
  signal.removeEventListener('abort', end);
  if (outcome === 'not-found') return `${program} was not found`;
  if (outcome === 'timeout') return `${program} was killed after ${timeoutMs / 1000} s`;
  if (exitCode === 0) return null;
  const how = exitCode === null ? 'was killed' : `ended with exit code ${exitCode}`;
  const said = stderr.trim().slice(-ERROR_CHARS);
  return `${program} ${how}${said === '' ? '' : `: ${said}`}`;
}

/** Named so that no variable is taken for a setting by a `framekiln` command in the hook. */
function jobVariables({ jobId, state, sourcePath, outputPath, errorCode, errorMessage }: EndedJob) {
  return {
    FRAMEKILN_JOB_ID: String(jobId),
    FRAMEKILN_JOB_STATE: state,
    FRAMEKILN_JOB_SOURCE: sourcePath,
    FRAMEKILN_JOB_OUTPUT: outputPath,
    FRAMEKILN_JOB_ERROR_CODE: errorCode ?? '',
    FRAMEKILN_JOB_ERROR_MESSAGE: errorMessage?.replaceAll('\0', '') ?? '',
  };
}
