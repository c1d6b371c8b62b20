import type { MediaInfo } from '../../domain/media-info.ts';
import type { PipelineFormats } from '../frame-pipeline.ts';

/** Frame formats of a lip-sync job: frames leave as they came. Sources of more than 8 bits keep their depth. */
export function lipSyncFormats({ video }: Pick<MediaInfo, 'video'>): PipelineFormats {
  const pixelFormat = video.bitsPerComponent > 8 ? 'rgb48le' : 'rgb24';
  const format = { width: video.width, height: video.height, pixelFormat } as const;
  return { input: format, output: format, outputAspect: video.sampleAspectRatio };
}
