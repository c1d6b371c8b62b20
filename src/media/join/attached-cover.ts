import type { OtherStreamInfo } from '../../domain/media-info.ts';

/** How a container labels an attached cover image, by the image's codec. */
export const COVER_TYPES: Readonly<Record<string, { readonly mime: string; readonly extension: string }>> = {
  mjpeg: { mime: 'image/jpeg', extension: 'jpg' },
  png: { mime: 'image/png', extension: 'png' },
  bmp: { mime: 'image/bmp', extension: 'bmp' },
  gif: { mime: 'image/gif', extension: 'gif' },
};

/** Whether a stream is a cover image that the container holds as an attachment: ffmpeg would make a video of it. */
export function isAttachedCover(
  stream: OtherStreamInfo,
  { container }: { readonly container: string },
): boolean {
  return container === 'matroska' && stream.attachedPicture && stream.codec in COVER_TYPES;
}
