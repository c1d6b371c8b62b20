import { once } from 'node:events';
import type { FfmpegProcess } from '../ffmpeg/ffmpeg-process.ts';

/** Pipes joined segments into ffmpeg, no faster than ffmpeg reads them. */
export async function feedSegments(child: FfmpegProcess, chunks: AsyncIterable<Buffer>): Promise<void> {
  const exited = child.ended.catch(() => undefined);
  for await (const chunk of chunks) {
    child.touch();
    if (child.stdin.destroyed) return; // `child.ended` rejects with the reason.
    // A broken pipe is not handled here, because `child.ended` rejects with the reason.
    if (!child.stdin.write(chunk))
      await Promise.race([once(child.stdin, 'drain').catch(() => exited), exited]);
  }
  child.stdin.end();
}
