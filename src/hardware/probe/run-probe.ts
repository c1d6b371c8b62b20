import { tmpdir } from 'node:os';
import { childEnvironment } from '../../config/environment.ts';
import { startCaptured, type CapturedEnd, type CapturedProcess } from '../../lib/process/captured-process.ts';

/** Starts a program that queries a driver. It is killed after `timeoutMs`, with all its child processes. */
export function startProbe(program: string, args: readonly string[], timeoutMs: number): CapturedProcess {
  return startCaptured([program, ...args], { env: childEnvironment(), cwd: tmpdir(), timeoutMs });
}

/** Runs a program that queries a driver and returns its result. */
export function runProbe(program: string, args: readonly string[], timeoutMs: number): Promise<CapturedEnd> {
  return startProbe(program, args, timeoutMs).ended;
}
