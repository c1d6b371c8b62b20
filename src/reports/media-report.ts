import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import type { Home } from '../config/home.ts';
import type { Recipe } from '../domain/recipe.ts';
import { counted } from '../lib/counted.ts';
import { isMissingFile } from '../lib/file-errors.ts';
import { makeFolder } from '../lib/make-folder.ts';
import { writeFileDurably } from '../workspace/durable-file.ts';
import { readdirOrNone } from '../workspace/job-folder.ts';

/**
 * What was kept, converted and dropped of a source: stored as `.framekiln/reports/<job>.json` and shown by `status --json`.
 * Fields are added, never removed.
 */
export interface MediaReport {
  readonly source: string;
  /** sha256 of the source. With the recipe, it shows after a loss of the queue that the source is already processed. */
  readonly fingerprint?: string;
  readonly recipe?: Recipe;
  readonly output: string;
  /** sha256 of the finished file, hex. Absent in reports of version 0.1. */
  readonly outputSha256?: string;
  /** Size of the finished file. Absent in reports of older versions. */
  readonly outputBytes?: number;
  /** What is damaged in the source; null where nothing is. Absent in reports of version 0.1. */
  readonly sourceDamage?: string | null;
  readonly frames: number;
  /**
   * Frames, and parts of frames, whose result was copied from the previous frame because nothing had changed there. Absent
   * for still images and in reports of older versions.
   */
  readonly framesReused?: number;
  /** Frames of a split screen whose close-ups were upscaled by a model. Absent for other jobs. */
  readonly framesEnhanced?: number;
  /** Whether the source is a still image. Absent in reports of version 0.1. */
  readonly isStill?: boolean;
  /** Why the container differs from that of the source; null if it does not. */
  readonly container: string | null;
  readonly streams: readonly {
    readonly index: number;
    readonly kind: string;
    readonly codec: string;
    readonly language: string | null;
    readonly fate: 'kept' | 'converted' | 'dropped';
    readonly reason: string | null;
  }[];
  readonly chapters: number;
  /** Other differences from the source, one sentence each, without a full stop. */
  readonly remarks: readonly string[];
}

export async function writeReport(home: Home, jobId: number, report: MediaReport): Promise<void> {
  makeFolder(home.reportsDir);
  await writeFileDurably(reportPath(home, jobId), `${JSON.stringify(report, null, 2)}\n`, 'report');
}

/** Fields checked when a report is read: the file may be truncated or written by others. */
const Readable = z.looseObject({
  source: z.string(),
  output: z.string(),
  outputSha256: z.string().optional(),
  outputBytes: z.int().optional(),
  sourceDamage: z.string().nullable().optional(),
  frames: z.int(),
  framesReused: z.number().optional(),
  fingerprint: z.string().optional(),
  recipe: z
    .looseObject({ pipeline: z.enum(['upscale', 'dual-face', 'lip-sync']), model: z.string() })
    .optional(),
  streams: z.array(z.looseObject({ fate: z.string() })),
  remarks: z.array(z.string()),
});

/** Reads the report of a finished job; null if there is none, `torn` if the file is not a valid report. */
export async function readReport(home: Home, jobId: number): Promise<MediaReport | 'torn' | null> {
  let text: string;
  try {
    text = await readFile(reportPath(home, jobId), 'utf8');
  } catch (error) {
    if (isMissingFile(error)) return null;
    throw error;
  }
  try {
    const found: unknown = JSON.parse(text, renameNetwork);
    return Readable.safeParse(found).success ? (found as MediaReport) : 'torn';
  } catch {
    return 'torn';
  }
}

/** Reports of version 0.1 call the model of a recipe `network`. */
function renameNetwork(key: string, value: unknown): unknown {
  if (key !== 'recipe' || typeof value !== 'object' || value === null || !('network' in value)) return value;
  const { network, ...recipe } = value;
  return { ...recipe, model: network };
}

/** Ids of jobs with a report. */
export async function reportedJobs(home: Home): Promise<number[]> {
  const names = await readdirOrNone(home.reportsDir);
  return names.map((name) => Number(/^(\d+)\.json$/.exec(name)?.[1])).filter((id) => id > 0);
}

function reportPath(home: Home, jobId: number): string {
  return join(home.reportsDir, `${jobId}.json`);
}

/** Formats the report as lines for the log. */
export function reportLines(report: MediaReport): string[] {
  const count = (fate: string): number => report.streams.filter((stream) => stream.fate === fate).length;
  const fates: [count: number, what: string][] = [
    [count('kept'), 'copied'],
    [count('converted'), 'converted'],
    [count('dropped'), 'dropped'],
  ];
  const tracks = fates
    .filter(([number]) => number > 0)
    .map(([number, what]) => `${counted(number, 'other track')} ${what}`);
  const verified =
    report.isStill === true
      ? 'verified the image'
      : `verified ${counted(report.frames, 'frame')} (all timestamps match)`;
  const container = report.container === null ? [] : [`${basename(report.output)}: ${report.container}`];
  const reused = Math.round((100 * (report.framesReused ?? 0)) / report.frames);
  const saved = reused === 0 ? [] : [`${reused} % of the image area unchanged, so not computed again`];
  return [[verified, ...tracks].join('; '), ...saved, ...container, ...report.remarks];
}
