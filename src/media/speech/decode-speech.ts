import { basename } from 'node:path';
import { FfmpegError, InputRejectedError } from '../../domain/errors.ts';
import { QUIET } from '../ffmpeg/ffmpeg-arguments.ts';
import { runForBytes } from '../ffmpeg/run-for-bytes.ts';
import { SPEECH_RATE } from './mel-spectrogram.ts';

/** Samples of four hours. */
export const LONGEST_SPEECH = 4 * 3600 * SPEECH_RATE;

/** Demuxers of the audio files that a lip-sync job accepts, and of videos whose audio it uses. */
export const SPEECH_FORMATS = 'wav,w64,mp3,mov,mp4,m4a,3gp,3g2,mj2,flac,ogg,aac,matroska,webm';

/** A speech that was interrupted ends within a packet, which alone is left out. */
export const WHOLE_PACKETS = ['-fflags', '+discardcorrupt'] as const;

/** Arguments that open an audio file as nothing but a local file of a known format. */
export function speechInput(path: string): string[] {
  const formats = ['-protocol_whitelist', 'file', '-format_whitelist', SPEECH_FORMATS];
  return [...WHOLE_PACKETS, ...formats, '-i', `file:${path}`];
}

/** Arguments that write the samples of a speech to standard output. */
export const SPEECH_OUTPUT = [
  '-map',
  '0:a:0',
  '-ac',
  '1',
  '-ar',
  String(SPEECH_RATE),
  '-f',
  'f32le',
  'pipe:1',
];

/**
 * Decodes an audio file to mono samples in -1..1 at SPEECH_RATE.
 *
 * @throws InputRejectedError BAD_AUDIO if it has none
 */
export async function decodeSpeech(path: string, signal: AbortSignal): Promise<Float32Array> {
  let bytes: Buffer;
  try {
    bytes = await runForBytes('ffmpeg', [...QUIET, ...speechInput(path), ...SPEECH_OUTPUT], {
      ...{
        purpose: `decoding ${basename(path)}`,
        signal,
        access: { reads: path },
        maxBytes: 4 * LONGEST_SPEECH,
      },
    });
  } catch (error) {
    if (!(error instanceof FfmpegError) || error.code !== 'FFMPEG_FAILED') throw error;
    throw new InputRejectedError('BAD_AUDIO', `${basename(path)} cannot be read as audio: ${error.message}`, {
      cause: error,
    });
  }
  const samples = new Float32Array(
    Uint8Array.from(bytes.subarray(0, bytes.length - (bytes.length % 4))).buffer,
  );
  if (samples.length < SPEECH_RATE / 10)
    throw new InputRejectedError(
      'BAD_AUDIO',
      `${basename(path)} has less than a tenth of a second of audio.`,
    );
  return samples;
}
