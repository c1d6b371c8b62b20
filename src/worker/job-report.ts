import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import type { Home } from '../config/home.ts';
import type { Job } from '../domain/job.ts';
import type { Chroma, MediaInfo } from '../domain/media-info.ts';
import type { Recipe } from '../domain/recipe.ts';
import { isMissingFile } from '../lib/file-errors.ts';
import { makeFolder } from '../lib/make-folder.ts';
import { countUnordered } from '../media/clock-jumps.ts';
import type { Damage } from '../media/damage.ts';
import { chromaOf } from '../media/stream-info.ts';
import type { StreamFate, StreamPlan } from '../media/stream-plan.ts';
import { readdirOrNone } from '../workspace/job-folder.ts';
import { writeFileDurably } from '../workspace/durable-file.ts';
import type { PlannedJob } from './planned-job.ts';

/** What became of everything in a source: `.framekiln/reports/<job>.json`, and in `status --json`. Fields are only added. */
export interface MediaReport {
  readonly source: string;
  /** sha256 of the source, and what was done with it: a lost queue knows by them that it need not be done again. */
  readonly fingerprint?: string;
  readonly recipe?: Recipe;
  readonly output: string;
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

/** @param streams as they were joined in the end */
export function mediaReport(job: Job, planned: PlannedJob, streams: StreamPlan, damage: Damage): MediaReport {
  return {
    source: job.sourcePath,
    fingerprint: job.fingerprint,
    recipe: job.recipe,
    output: planned.outputPath,
    frames: planned.index.pts.length,
    container: streams.containerReason,
    streams: streams.fates.map((entry) => ({
      index: entry.stream.index,
      kind: entry.stream.kind,
      codec: entry.stream.codec,
      language: entry.stream.language,
      fate: fateName(entry),
      reason: entry.reason,
    })),
    chapters: planned.media.chapterCount,
    remarks: [
      ...(damage.sentence === null ? [] : [damage.sentence]),
      ...clockRemarks(planned),
      ...pictureRemarks(planned.media, planned.formats, planned.plan.encoder.chroma),
      ...streams.fates.flatMap(({ stream, movedSeconds }) =>
        movedSeconds === undefined
          ? []
          : [
              `${stream.kind} track ${stream.index} was moved by ${Math.round(movedSeconds * 1000)} ms, to stay beside the picture`,
            ],
      ),
      ...streams.fates.filter(({ codec }) => codec !== 'copy').map((entry) => describeFate(entry)),
    ],
  };
}

function fateName({ codec }: StreamFate): 'kept' | 'converted' | 'dropped' {
  if (codec === null) return 'dropped';
  return codec === 'copy' ? 'kept' : 'converted';
}

function describeFate({ stream, codec, reason }: StreamFate): string {
  const what = `${stream.kind} track ${stream.index} (${stream.codec})`;
  return `${what} is ${codec === null ? 'left out' : `converted to ${codec}`}: ${reason ?? ''}`;
}

function clockRemarks({ straightened, index }: PlannedJob): string[] {
  const unordered = countUnordered(index);
  return [
    ...(straightened ? ['the clock of the source jumps; its parts come one behind the other'] : []),
    ...(unordered === 0
      ? []
      : [`${unordered} frames are shown no later than the one before, and come a tick behind it`]),
  ];
}

const CHROMA_NAMES = { 444: '4:4:4', 422: '4:2:2', 420: '4:2:0' } as const;

/** What of the picture is changed on purpose or cannot be kept. */
export function pictureRemarks(
  { video }: MediaInfo,
  { input, output }: PlannedJob['formats'],
  chroma: Chroma | undefined,
): string[] {
  const remarks: string[] = [];
  if (video.interlaced) remarks.push('the picture was interlaced and is deinterlaced');
  if (video.mirrored)
    remarks.push(
      `the picture is ${video.rotationDegrees % 180 === 0 ? '' : 'turned and '}mirrored, as players show it`,
    );
  else if (video.rotationDegrees !== 0)
    remarks.push(`the picture is turned by ${video.rotationDegrees} degrees, as players show it`);
  if (video.hasAlpha) remarks.push('transparency is not kept');
  if (video.dynamicHdr !== null)
    remarks.push(`${video.dynamicHdr} metadata is not kept, its base picture is`);
  const stored = chroma ?? '420';
  if (stored !== chromaOf(video.pixelFormat)) {
    // From twice the size on 4:2:0 has as many colour samples as 4:4:4 had before.
    const halved = output.width < 2 * input.width || output.height < 2 * input.height;
    remarks.push(
      `colour is stored as ${CHROMA_NAMES[stored]} (the source has ${video.pixelFormat}), ${halved ? 'more coarsely than it was' : 'as finely as it was, for the picture is larger'}; encoder.chroma keeps it`,
    );
  }
  if (video.bitsPerComponent > 10) remarks.push(`${video.bitsPerComponent} bit become 10`);
  if (video.color.matrix === null && !/^(gray|ya|rgb|bgr|gbr|pal8)/.test(video.pixelFormat))
    remarks.push('the source does not name its colours; they are taken for what players take them for');
  return remarks;
}

export async function writeReport(home: Home, jobId: number, report: MediaReport): Promise<void> {
  makeFolder(home.reportsDir);
  await writeFileDurably(reportPath(home, jobId), `${JSON.stringify(report, null, 2)}\n`, 'report');
}

/** What must be right in a file for it to be a report: a disk may have torn it, and anybody may write there. */
const Readable = z.looseObject({
  source: z.string(),
  output: z.string(),
  frames: z.int(),
  fingerprint: z.string().optional(),
  recipe: z.looseObject({ pipeline: z.enum(['upscale', 'dual-face']), network: z.string() }).optional(),
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
    const found: unknown = JSON.parse(text);
    return Readable.safeParse(found).success ? (found as MediaReport) : 'torn';
  } catch {
    return 'torn';
  }
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
