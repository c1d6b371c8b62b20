import { tmpdir } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { childEnvironment } from '../../config/environment.ts';
import { FfmpegError, InputRejectedError, StoppedError, TransientError } from '../../domain/errors.ts';
import { SupervisedProcess, type ProcessEnd } from '../../lib/process/supervised-process.ts';
import { sandboxedCommand } from './sandboxed-command.ts';
import { killSandbox, type SandboxAccess } from './sandbox.ts';

const STALL_MS = 60_000;
const FIRST_FURTHER_OUTPUT = 4;
/** Lower priority than the engine, because when one engine thread loses its core, the others wait for it. */
const FFMPEG_NICENESS = 10;

export interface FfmpegOptions {
  /** What the run is for, as it appears in the error message: `decoding clip.mp4`. */
  readonly purpose: string;
  readonly signal?: AbortSignal | undefined;
  /** Time in ms without `touch` after which the process is killed. */
  readonly stallMs?: number | undefined;
  /** See SupervisedProcess: an encoder on the CPU says nothing while it encodes the frames that it has buffered. */
  readonly countsCpuTime?: boolean;
  /** Number of outputs in addition to the first two, as `pipe:4` and so on. Default: none. */
  readonly moreOutputs?: number;
  /** Set when the process reads an untrusted file: it then runs in a sandbox, where one is available. */
  readonly access?: SandboxAccess;
}

/**
 * A running ffmpeg or ffprobe. `ended` settles when the process is gone and its pipes are closed, and rejects unless it
 * exited with 0. See SupervisedProcess for `touch`, `idle`, `kill` and `finish`.
 */
export class FfmpegProcess {
  readonly ended: Promise<void>;
  readonly #process: SupervisedProcess;

  constructor(program: 'ffmpeg' | 'ffprobe', args: readonly string[], options: FfmpegOptions) {
    const env = childEnvironment();
    const sandbox = options.access === undefined ? null : sandboxedCommand(program, options.access, env);
    const stallMs = options.stallMs ?? STALL_MS;
    this.#process = new SupervisedProcess([...(sandbox ?? [program]), ...args], {
      // Relative names in a hostile file must not lead into a folder of ours.
      ...{ env, cwd: tmpdir(), stallMs, signal: options.signal, niceness: FFMPEG_NICENESS },
      moreOutputs: options.moreOutputs,
      countsCpuTime: options.countsCpuTime,
      killTree: sandbox === null ? undefined : killSandbox,
    });
    this.ended = this.#process.ended.then((end) => throwUnlessGood(end, program, options.purpose, stallMs));
    // Avoids an unhandled rejection if the process is killed before `ended` is awaited.
    this.ended.catch(() => undefined);
  }

  get stdin(): Writable {
    return this.#process.stdin;
  }

  get stdout(): Readable {
    return this.#process.stdout;
  }

  /** File descriptor 3, for a second output (`pipe:3`). */
  get extra(): Readable {
    return this.#process.extra;
  }

  /** A further output, by its file descriptor: from 4 on, as many as `moreOutputs`. */
  output(descriptor: number): Readable {
    const output = this.#process.more[descriptor - FIRST_FURTHER_OUTPUT];
    if (output === undefined) throw new RangeError(`The process has no output ${descriptor}.`);
    return output;
  }

  /** Lines written to standard error so far: with `-loglevel error`, the number of complaints. */
  get complaints(): number {
    return this.#process.stderrLines;
  }

  touch(): void {
    this.#process.touch();
  }

  idle(): void {
    this.#process.idle();
  }

  kill(): Promise<void> {
    return this.#process.kill();
  }

  finish(): Promise<void> {
    return this.#process.finish();
  }
}

function throwUnlessGood(end: ProcessEnd, program: string, purpose: string, stallMs: number): void {
  const { reason, exitCode, signalName, stderrTail, cause } = end;
  // ffmpeg exits with 0 if only the end of a file could not be written.
  const isGood = reason === 'exited' && exitCode === 0;
  if (!isGood || /^Error (writing|closing) /m.test(stderrTail)) throwIfUnwritable(stderrTail, purpose);
  if (isGood) return;
  if (reason === 'stalled') {
    throw new FfmpegError(
      'FFMPEG_STALLED',
      `${program} made no progress for ${Math.round(stallMs / 1000)} s while ${purpose} and was killed.`,
      stderrTail,
    );
  }
  if (reason === 'stopped') throw new StoppedError(`${program} was stopped while ${purpose}.`);
  if (reason === 'not-found') {
    throw new TransientError(
      'FFMPEG_MISSING',
      `${program} is not installed or not on PATH; install ffmpeg 5.1 or newer.`,
    );
  }
  const how = signalName === null ? `exit code ${String(exitCode)}` : `signal ${signalName}`;
  const said = stderrTail === '' ? '' : `: ${lastLine(stderrTail)}`;
  throw new FfmpegError('FFMPEG_FAILED', `${program} failed (${how}) while ${purpose}${said}`, stderrTail, {
    cause,
    exitCode: exitCode ?? undefined,
  });
}

function throwIfUnwritable(stderrTail: string, purpose: string): void {
  if (/No space left on device|Disk quota exceeded/i.test(stderrTail))
    throw new TransientError('DISK_FULL', `No space left on the disk, or in the quota, while ${purpose}.`);
  if (/File too large/i.test(stderrTail))
    throw new InputRejectedError(
      'OUTPUT_TOO_LARGE',
      `The file that ffmpeg writes while ${purpose} is too large for its file system (FAT32 allows 4 GiB at most); make output/ a link to another disk, or choose a smaller scale.`,
    );
}

function lastLine(text: string): string {
  return text.slice(text.lastIndexOf('\n') + 1).trim();
}
