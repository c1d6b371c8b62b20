import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { childEnvironment } from '../config/environment.ts';
import { programRoot, type Home } from '../config/home.ts';
import { isMissingFile } from '../lib/file-errors.ts';
import { startCaptured } from '../lib/process/captured-process.ts';
import { HttpError } from './http-error.ts';

const TIME_LIMIT_MS = 120_000;

export const DoctorReport = z.object({
  usable: z.boolean(),
  /** ISO 8601, UTC. */
  at: z.string(),
  checks: z.array(
    z.object({
      name: z.string(),
      status: z.enum(['ok', 'warn', 'fail']),
      found: z.string(),
      remedy: z.string().nullable(),
    }),
  ),
});
export type DoctorReport = z.infer<typeof DoctorReport>;

/** The result that `framekiln doctor` has stored; null if there is none, or if it cannot be read. */
export async function readDoctorReport({ logs }: Home): Promise<DoctorReport | null> {
  const path = join(logs, 'doctor.json');
  try {
    const found = JSON.parse(await readFile(path, 'utf8')) as object;
    const parsed = DoctorReport.safeParse({ ...found, at: (await stat(path)).mtime.toISOString() });
    return parsed.success ? parsed.data : null;
  } catch (error) {
    if (isMissingFile(error) || error instanceof SyntaxError) return null;
    throw error;
  }
}

let running: Promise<unknown> | null = null;

/** Runs `framekiln doctor` as a process of its own, because its trials load drivers that could crash the daemon. */
export async function runDoctor(
  home: Home,
  flags: readonly string[],
  signal: AbortSignal,
): Promise<DoctorReport> {
  if (running !== null) throw new HttpError(409, 'DOCTOR_RUNNING', 'The checks are already running.');
  const startedAtMs = Date.now();
  const options = ['--home', home.root, ...flags.flatMap((flag) => ['--set', flag])];
  const child = startCaptured([process.execPath, join(programRoot, 'dist/main.js'), 'doctor', ...options], {
    ...{ env: childEnvironment(), timeoutMs: TIME_LIMIT_MS },
  });
  const end = (): void => void child.end();
  signal.addEventListener('abort', end);
  running = child.ended;
  try {
    const { outcome, stderr } = await child.ended;
    const report = await readDoctorReport(home);
    // An older report is not the answer to this request.
    if (report === null || Date.parse(report.at) < startedAtMs)
      throw new HttpError(
        500,
        'DOCTOR_FAILED',
        outcome === 'timeout'
          ? `The checks did not finish within ${TIME_LIMIT_MS / 1000} s; to run them without this limit: framekiln doctor`
          : `The checks ended without a result: ${stderr.slice(-500).trim() || outcome}`,
      );
    return report;
  } finally {
    running = null;
    signal.removeEventListener('abort', end);
  }
}
