/**
 * Why NVENC did not work, in the words that ffmpeg and the driver have for it; null where they say something else.
 * Other guesses mislead: HandBrake #7728 tells how.
 *
 * @param said what ffmpeg wrote to standard error
 */
export function whyNoNvenc(said: string): string | null {
  return REASONS.find(([pattern]) => pattern.test(said))?.[1] ?? null;
}

/** Whether a session could be had at another time: another program, or another job, has them now. */
export function isBusyReason(reason: string): boolean {
  return [TAKEN, NO_ROOM, SILENT, OURS].includes(reason);
}

export const SILENT = 'the driver does not answer';
export const OURS = 'other jobs have all NVENC sessions';
const TAKEN = 'all NVENC sessions are taken (incompatible client key)';
const NO_ROOM = 'no NVENC session or no video memory is free';

const REASONS: readonly (readonly [RegExp, string])[] = [
  [
    /Cannot load libcuda|Cannot load nvcuda|no CUDA-capable device|CUDA_ERROR_NO_DEVICE/i,
    'there is no NVIDIA driver or GPU',
  ],
  [/Unknown encoder/i, 'this ffmpeg is built without NVENC'],
  [/incompatible client key/i, TAKEN],
  [/OpenEncodeSessionEx failed: out of memory/i, NO_ROOM],
  [
    /minimum required Nvidia driver|driver does not support the required nvenc API/i,
    'the NVIDIA driver is too old for this ffmpeg',
  ],
  [
    /No capable devices found|not supported|No NVENC capable/i,
    'the GPU cannot encode this (no NVENC, size or depth)',
  ],
];
