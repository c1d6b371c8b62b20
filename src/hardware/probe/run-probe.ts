import { tmpdir } from 'node:os';
import { childEnvironment } from '../../config/environment.ts';
import { startCaptured, type CapturedEnd, type CapturedProcess } from '../../lib/process/captured-process.ts';

/** Starts a program that asks a driver something. It is killed after `timeoutMs`, with everything it has started. */
export function startProbe(program: string, args: readonly string[], timeoutMs: number): CapturedProcess {
  return startCaptured([program, ...args], { env: childEnvironment(), cwd: tmpdir(), timeoutMs });
}

/** Runs such a program to its end. */
export function runProbe(program: string, args: readonly string[], timeoutMs: number): Promise<CapturedEnd> {
  return startProbe(program, args, timeoutMs).ended;
}
