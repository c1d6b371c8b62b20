import { FfmpegError } from '../../domain/errors.ts';
import { FfmpegProcess, type FfmpegOptions } from './ffmpeg-process.ts';

const MAX_BYTES = 64 * 1024 * 1024;

/** Runs ffmpeg or ffprobe to the end with empty standard input. @returns standard output, up to `maxBytes` */
export async function runForBytes(
  program: 'ffmpeg' | 'ffprobe',
  args: readonly string[],
  { maxBytes = MAX_BYTES, ...options }: FfmpegOptions & { readonly maxBytes?: number },
): Promise<Buffer> {
  const child = new FfmpegProcess(program, args, options);
  child.stdin.end();
  child.extra.resume();
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    child.touch();
    bytes += chunk.length;
    if (bytes > maxBytes) {
      await child.kill();
      throw new FfmpegError(
        'FFMPEG_FAILED',
        `${program} wrote more than ${maxBytes} bytes while ${options.purpose}.`,
        '',
      );
    }
    chunks.push(chunk);
  }
  await child.ended;
  return Buffer.concat(chunks);
}
