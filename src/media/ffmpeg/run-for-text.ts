import type { FfmpegOptions } from './ffmpeg-process.ts';
import { runForBytes } from './run-for-bytes.ts';

/** Runs ffmpeg or ffprobe to the end with empty standard input. @returns standard output as text, up to `maxBytes` */
export async function runForText(
  program: 'ffmpeg' | 'ffprobe',
  args: readonly string[],
  options: FfmpegOptions & { readonly maxBytes?: number },
): Promise<string> {
  return (await runForBytes(program, args, options)).toString('utf8');
}
