import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { childEnvironment } from '../config/environment.ts';
import { startCaptured } from '../lib/process/captured-process.ts';
import type { Measurement } from './measure-entry.ts';

const PROGRAM = fileURLToPath(new URL('./measure-entry.js', import.meta.url));
/** Far more than a large model takes to load and run on a slow CPU. */
const TIMEOUT_MS = 60_000;

/** Starts a measurement in a process of its own. */
export function startMeasurement<Result>(request: Measurement): {
  /** The result; null if the process failed, hung or was ended. Never rejects. */
  readonly result: Promise<Result | null>;
  readonly end: () => Promise<unknown>;
} {
  const command = [process.execPath, PROGRAM, JSON.stringify(request)];
  const child = startCaptured(command, { env: childEnvironment(), cwd: tmpdir(), timeoutMs: TIMEOUT_MS });
  const result = child.ended.then(({ exitCode, stdout }) =>
    exitCode === 0 ? (parseResult(stdout) as Result | null) : null,
  );
  return { result, end: child.end };
}

/** The result that the process printed; null if something else, such as a driver, printed as well. */
export function parseResult(printed: string): unknown {
  try {
    return JSON.parse(printed);
  } catch {
    return null;
  }
}
