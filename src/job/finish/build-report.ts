import type { Job } from '../../domain/job.ts';
import type { Chroma, MediaInfo } from '../../domain/media-info.ts';
import type { Damage } from '../../media/index/damage.ts';
import { countUnordered } from '../../media/index/timestamp-discontinuities.ts';
import type { StreamFate, StreamPlan } from '../../media/join/stream-plan.ts';
import { chromaOf } from '../../media/probe/stream-info.ts';
import type { MediaReport } from '../../reports/media-report.ts';
import type { PreparedJob } from '../prepare/prepared-job.ts';

/** @param streams as they were joined in the end */
export function buildReport(
  job: Job,
  prepared: PreparedJob,
  streams: StreamPlan,
  damage: Damage,
): MediaReport {
  return {
    source: job.sourcePath,
    fingerprint: job.fingerprint,
    recipe: job.recipe,
    output: prepared.outputPath,
    frames: prepared.index.pts.length,
    container: streams.containerReason,
    streams: streams.fates.map((entry) => ({
      index: entry.stream.index,
      kind: entry.stream.kind,
      codec: entry.stream.codec,
      language: entry.stream.language,
      fate: fateName(entry),
      reason: entry.reason,
    })),
    chapters: prepared.media.chapterCount,
    remarks: [
      ...(damage.sentence === null ? [] : [damage.sentence]),
      ...clockRemarks(prepared),
      ...imageRemarks(prepared.media, prepared.formats, prepared.plan.encoder.chroma),
      ...streams.fates.flatMap(({ stream, movedSeconds }) =>
        movedSeconds === undefined
          ? []
          : [
              `${stream.kind} track ${stream.index} was moved by ${Math.round(movedSeconds * 1000)} ms, to stay beside the image`,
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

function clockRemarks({ remuxed, index }: PreparedJob): string[] {
  const unordered = countUnordered(index);
  return [
    ...(remuxed ? ['the clock of the source jumps; its parts come one behind the other'] : []),
    ...(unordered === 0
      ? []
      : [`${unordered} frames are shown no later than the one before, and come a tick behind it`]),
  ];
}

const CHROMA_NAMES = { 444: '4:4:4', 422: '4:2:2', 420: '4:2:0' } as const;

/** What of the image is changed on purpose or cannot be kept. */
export function imageRemarks(
  { video }: MediaInfo,
  { input, output }: PreparedJob['formats'],
  chroma: Chroma | undefined,
): string[] {
  const remarks: string[] = [];
  if (video.interlaced) remarks.push('the image was interlaced and is deinterlaced');
  if (video.mirrored)
    remarks.push(
      `the image is ${video.rotationDegrees % 180 === 0 ? '' : 'turned and '}mirrored, as players show it`,
    );
  else if (video.rotationDegrees !== 0)
    remarks.push(`the image is turned by ${video.rotationDegrees} degrees, as players show it`);
  if (video.hasAlpha) remarks.push('transparency is not kept');
  if (video.dynamicHdr !== null) remarks.push(`${video.dynamicHdr} metadata is not kept, its base image is`);
  const stored = chroma ?? '420';
  if (stored !== chromaOf(video.pixelFormat)) {
    // From twice the size on 4:2:0 has as many colour samples as 4:4:4 had before.
    const halved = output.width < 2 * input.width || output.height < 2 * input.height;
    remarks.push(
      `colour is stored as ${CHROMA_NAMES[stored]} (the source has ${video.pixelFormat}), ${halved ? 'more coarsely than it was' : 'as finely as it was, for the image is larger'}; encoder.chroma keeps it`,
    );
  }
  if (video.bitsPerComponent > 10) remarks.push(`${video.bitsPerComponent} bit become 10`);
  if (video.color.matrix === null && !/^(gray|ya|rgb|bgr|gbr|pal8)/.test(video.pixelFormat))
    remarks.push('the source does not name its colours; they are taken for what players take them for');
  return remarks;
}
