import type { Job } from '../../domain/job.ts';
import type { Chroma, MediaInfo } from '../../domain/media-info.ts';
import type { Damage } from '../../media/index/damage.ts';
import { describeCaptions } from '../../media/captions/describe-captions.ts';
import { describeFields } from '../../media/fields/describe-fields.ts';
import { counted } from '../../lib/counted.ts';
import { countUnordered } from '../../media/index/timestamp-discontinuities.ts';
import type { StreamFate, StreamPlan } from '../../media/join/stream-plan.ts';
import { chromaOf } from '../../media/probe/stream-info.ts';
import type { MediaReport } from '../../reports/media-report.ts';
import type { WrittenOutput } from '../../queue/output-store.ts';
import type { PreparedJob } from '../prepare/prepared-job.ts';

export interface FrameCounts {
  /** Frames, and parts of frames, whose result was that of the previous frame. */
  readonly framesReused: number;
  /** Frames of a split screen whose close-ups were upscaled by a model; absent: not counted. */
  readonly framesEnhanced?: number | undefined;
}

interface FinishedWork extends WrittenOutput, FrameCounts {
  readonly damage: Damage;
}

/**
 * Builds the report of a finished job: what became of every stream, and what differs from the source.
 *
 * @param streams the streams in the finished file
 */
export function buildReport(
  job: Job,
  prepared: PreparedJob,
  streams: StreamPlan,
  { damage, framesReused, framesEnhanced, sha256, bytes }: FinishedWork,
): MediaReport {
  const original = prepared.original ?? prepared;
  return {
    source: job.sourcePath,
    fingerprint: job.fingerprint,
    recipe: job.recipe,
    output: prepared.outputPath,
    outputSha256: sha256,
    outputBytes: bytes,
    sourceDamage: damage.sentence,
    frames: prepared.index.pts.length,
    framesReused: Math.round(framesReused * 100) / 100,
    ...(framesEnhanced === undefined ? {} : { framesEnhanced }),
    container: streams.containerReason,
    streams: streams.fates.map((entry) => ({
      index: entry.stream.index,
      kind: entry.stream.kind,
      codec: entry.stream.codec,
      language: entry.stream.language,
      fate: fateName(entry),
      reason: entry.reason,
    })),
    chapters: streams.container === 'gif' ? 0 : prepared.media.chapterCount,
    remarks: [
      ...(damage.sentence === null ? [] : [`source damaged: ${damage.sentence}`]),
      ...timestampRemarks(original),
      ...describeFields(original.media, original.index),
      ...speechRemarks(prepared),
      ...captionRemarks(prepared, streams),
      ...(streams.container === 'gif'
        ? gifRemarks(prepared)
        : imageRemarks(original.media, prepared.formats, prepared.plan.encoder.chroma)),
      ...spatialRemarks(job, prepared.media, streams),
      ...streams.fates.flatMap(({ stream, movedSeconds }) =>
        movedSeconds === undefined
          ? []
          : [
              `${stream.kind} track ${stream.index} shifted by ${Math.round(movedSeconds * 1000)} ms to stay in sync with the video`,
            ],
      ),
      ...streams.fates.filter(({ codec }) => codec !== 'copy').map((entry) => describeFate(entry)),
    ],
  };
}

/** What becomes of closed captions. */
function captionRemarks(
  { index, plan }: PreparedJob,
  { container }: Pick<StreamPlan, 'container'>,
): string[] {
  if (container !== 'gif' && plan.codec !== 'vp9') return describeCaptions(index);
  const name = container === 'gif' ? 'GIF' : 'WebM';
  return index.captions === null ? [] : [`closed captions dropped: ${name} does not support them`];
}

/** What a GIF leaves out, other than tracks and captions. */
function gifRemarks({ media, formats }: PreparedJob): string[] {
  const remarks = ['colours reduced to a palette of 256 (GIF), and times rounded to hundredths of a second'];
  if (media.chapterCount > 0) remarks.push('chapters dropped: GIF does not support them');
  // The palette says it all about chroma and bit depth.
  const video = { ...media.video, bitsPerComponent: 8 };
  return [...remarks, ...imageRemarks({ ...media, video }, formats, chromaOf(video.pixelFormat))];
}

/** Stereo 3D and spherical metadata that are not in the output. */
export function spatialRemarks(
  { recipe }: Pick<Job, 'recipe'>,
  { video: { spatial = null } }: MediaInfo,
  { container }: Pick<StreamPlan, 'container'>,
): string[] {
  if (spatial === null) return [];
  const remarks = spatial.leftOut.map((what) => `${what} metadata dropped`);
  if (container === 'gif' && (spatial.stereo !== null || spatial.spherical !== null))
    return [...remarks, 'stereo 3D and spherical metadata dropped: GIF does not support them'];
  if (recipe.pipeline !== 'upscale')
    return [...remarks, 'stereo 3D and spherical metadata dropped: a split screen shows parts of the frame'];
  if (container === 'mov' && (spatial.stereo !== null || spatial.spherical !== null))
    remarks.push(
      'stereo 3D and spherical metadata dropped: ffmpeg cannot write them to MOV; to keep them, set output.container to mp4',
    );
  return remarks;
}

function fateName({ codec }: StreamFate): 'kept' | 'converted' | 'dropped' {
  if (codec === null) return 'dropped';
  return codec === 'copy' ? 'kept' : 'converted';
}

function describeFate({ stream, codec, reason }: StreamFate): string {
  const { kind, index } = stream;
  const what = stream.attachedPicture ? `cover image ${index}` : `${kind} track ${index} (${stream.codec})`;
  return `${what} ${codec === null ? 'dropped' : `converted to ${codec}`}: ${reason ?? ''}`;
}

/** What a speech replaces in the source. */
function speechRemarks({ original }: Pick<PreparedJob, 'original'>): string[] {
  if (original === undefined) return [];
  const { others, chapterCount } = original.media;
  const dropped = others.length > 0 || chapterCount > 0 || original.index.captions !== null;
  return [
    'frames at a constant rate, as many as the speech is long',
    ...(dropped
      ? ['other tracks, captions and chapters of the source dropped: the speech is the only audio track']
      : []),
  ];
}

function timestampRemarks({ timeline, index }: Pick<PreparedJob, 'timeline' | 'index'>): string[] {
  const unordered = countUnordered(index);
  return [
    ...(timeline === null
      ? []
      : ['timestamp discontinuities in the source; remuxed onto one continuous timeline']),
    ...(unordered === 0
      ? []
      : [
          `${counted(unordered, 'frame')} moved to one tick after the previous frame, because the timestamps did not increase`,
        ]),
  ];
}

const CHROMA_NAMES = { 444: '4:4:4', 422: '4:2:2', 420: '4:2:0' } as const;

/** Properties of the video that are changed on purpose or cannot be kept. */
export function imageRemarks(
  { video }: MediaInfo,
  { output }: Pick<PreparedJob['formats'], 'output'>,
  chroma: Chroma | undefined,
): string[] {
  const remarks: string[] = [];
  if (video.mirrored)
    remarks.push(
      `video ${video.rotationDegrees % 180 === 0 ? '' : 'rotated and '}mirrored according to its display matrix`,
    );
  else if (video.rotationDegrees !== 0)
    remarks.push(`video rotated by ${video.rotationDegrees} degrees according to its display matrix`);
  if (video.hasAlpha) remarks.push('transparency dropped');
  if (video.dynamicHdr !== null) remarks.push(`${video.dynamicHdr} metadata dropped; base layer kept`);
  const stored = chroma ?? '420';
  if (stored !== chromaOf(video.pixelFormat)) {
    // At twice the size or more, 4:2:0 has as many colour samples as 4:4:4 had in the source.
    const halved = output.width < 2 * video.width || output.height < 2 * video.height;
    remarks.push(
      `chroma subsampled to ${CHROMA_NAMES[stored]} (source: ${video.pixelFormat}), ${halved ? 'with less colour detail than the source' : 'without loss of colour detail because the output is larger'}; to keep the chroma of the source, set encoder.chroma to source`,
    );
  }
  if (video.bitsPerComponent > 10) remarks.push(`bit depth reduced from ${video.bitsPerComponent} to 10`);
  if (video.color.matrix === null && !/^(gray|ya|rgb|bgr|gbr|pal8)/.test(video.pixelFormat))
    remarks.push(
      `the source does not specify its colour matrix: treated as ${video.height >= 720 ? 'BT.709' : 'BT.601'}, as players do`,
    );
  return remarks;
}
