import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import type { Home } from '../config/home.ts';
import type { Recipe } from '../domain/recipe.ts';
import { isMissingFile } from '../lib/file-errors.ts';
import { makeFolder } from '../lib/make-folder.ts';
import { writeFileDurably } from '../workspace/durable-file.ts';
import { readdirOrNone } from '../workspace/job-folder.ts';

/** What became of everything in a source: `.framekiln/reports/<job>.json`, and in `status --json`. Fields are only added. */
export interface MediaReport {
  readonly source: string;
  /** sha256 of the source, and what was done with it: a lost queue knows by them that it need not be done again. */
  readonly fingerprint?: string;
  readonly recipe?: Recipe;
  readonly output: string;
  /** sha256 of the finished file, hex. Absent in reports of version 0.1. */
  readonly outputSha256?: string;
  /** What is damaged in the source; null where nothing is. Absent in reports of version 0.1. */
  readonly sourceDamage?: string | null;
  readonly frames: number;
  /** Why the container is not the source's; null where it is. */
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
  /** What is otherwise than in the source, a sentence each without its full stop. */
  readonly remarks: readonly string[];
}

export async function writeReport(home: Home, jobId: number, report: MediaReport): Promise<void> {
  makeFolder(home.reportsDir);
  await writeFileDurably(reportPath(home, jobId), `${JSON.stringify(report, null, 2)}\n`, 'report');
}

/** What must be right in a file for it to be a report: a disk may have torn it, and anybody may write there. */
const Readable = z.looseObject({
  source: z.string(),
  output: z.string(),
  outputSha256: z.string().optional(),
  sourceDamage: z.string().nullable().optional(),
  frames: z.int(),
  fingerprint: z.string().optional(),
  recipe: z.looseObject({ pipeline: z.enum(['upscale', 'dual-face']), model: z.string() }).optional(),
  streams: z.array(z.looseObject({ fate: z.string() })),
  remarks: z.array(z.string()),
});

/** The report of a finished job; null where there is none, `torn` where the file is none. */
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

/** Reports of version 0.1 call the model of a recipe its network. */
function renameNetwork(key: string, value: unknown): unknown {
  if (key !== 'recipe' || typeof value !== 'object' || value === null || !('network' in value)) return value;
  const { network, ...recipe } = value;
  return { ...recipe, model: network };
}

/** The jobs of which there is a file of a report. */
export async function reportedJobs(home: Home): Promise<number[]> {
  const names = await readdirOrNone(home.reportsDir);
  return names.map((name) => Number(/^(\d+)\.json$/.exec(name)?.[1])).filter((id) => id > 0);
}

function reportPath(home: Home, jobId: number): string {
  return join(home.reportsDir, `${jobId}.json`);
}

/** The report as lines for the log. */
export function reportLines(report: MediaReport): string[] {
  const count = (fate: string): number => report.streams.filter((stream) => stream.fate === fate).length;
  const other = `${count('kept')} other tracks kept, ${count('converted')} converted, ${count('dropped')} left out`;
  const container = report.container === null ? [] : [`${basename(report.output)}: ${report.container}`];
  return [`${report.frames} frames, each at its time; ${other}`, ...container, ...report.remarks];
}
