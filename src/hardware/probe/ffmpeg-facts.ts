import { childEnvironment } from '../../config/environment.ts';
import { findProgram } from '../../lib/process/find-program.ts';
import { runProbe } from './run-probe.ts';

export interface FfmpegFacts {
  readonly path: string;
  /** First line of `ffmpeg -version`, without the copyright. */
  readonly version: string;
  readonly videoEncoders: readonly string[];
  readonly videoDecoders: readonly string[];
  /** Hardware accelerators that ffmpeg was built with; the machine may not have them. */
  readonly accelerators: readonly string[];
}

const TIMEOUT_MS = 5_000;

/** Path and version of ffmpeg; null if ffmpeg is missing or does not run. */
export async function identifyFfmpeg(): Promise<Pick<FfmpegFacts, 'path' | 'version'> | null> {
  const { exitCode, stdout } = await runProbe('ffmpeg', ['-version'], TIMEOUT_MS);
  if (exitCode !== 0) return null;
  const path = findProgram('ffmpeg', childEnvironment()['PATH']) ?? 'ffmpeg';
  return { path, version: (stdout.split('\n')[0] ?? '').split(' Copyright')[0] ?? '' };
}

/** Codecs and accelerators that ffmpeg was built with. */
export async function listFfmpegCapabilities(): Promise<Omit<FfmpegFacts, 'path' | 'version'>> {
  const list = async (option: string) =>
    (await runProbe('ffmpeg', ['-hide_banner', '-nostdin', option], TIMEOUT_MS)).stdout;
  const [encoders, decoders, accelerators] = await Promise.all([
    list('-encoders'),
    list('-decoders'),
    list('-hwaccels'),
  ]);
  return {
    videoEncoders: parseCodecs(encoders),
    videoDecoders: parseCodecs(decoders),
    accelerators: parseAccelerators(accelerators),
  };
}

/** The video codecs in a list of `ffmpeg -encoders`: lines of six flags, the first of them V, and a name. */
export function parseCodecs(text: string): string[] {
  return [...text.matchAll(/^ V[A-Z.]{5} (\w\S*) /gm)].map(([, name]) => name ?? '');
}

/** The names below the heading of `ffmpeg -hwaccels`. */
export function parseAccelerators(text: string): string[] {
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
