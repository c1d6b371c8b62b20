/** Why NVENC, or a hardware decoder, cannot be used. Code decides by `code`; `text` is only for people. */
export interface HardwareReason {
  readonly code: HardwareReasonCode;
  /** A clause without a full stop. */
  readonly text: string;
}

export type HardwareReasonCode =
  | keyof typeof TEXTS
  /** The output is larger than the codec allows on NVENC. */
  | 'too-large'
  /** A segment that NVENC encoded did not pass verification. */
  | 'invalid-segment'
  /** Anything else; the text is what ffmpeg wrote. */
  | 'other';

const TEXTS = {
  'no-gpu': 'no NVIDIA GPU or driver found',
  'not-built-in': 'this ffmpeg was built without NVENC',
  'sessions-taken': 'all NVENC sessions are in use (incompatible client key)',
  'no-session-or-memory': 'no NVENC session or GPU memory is free',
  'driver-too-old': 'the NVIDIA driver is too old for this ffmpeg',
  unsupported: 'the GPU or its driver does not support this codec, size or bit depth',
  'driver-silent': 'the driver does not respond',
  'permits-taken': 'other jobs are using all NVENC sessions',
  'chroma-not-420': 'NVENC is used for 4:2:0 only',
  'h264-10-bit': 'NVENC is not used for 10-bit H.264',
  hdr: 'NVENC is not used for videos with HDR metadata',
} as const;

/** Reasons that may be gone in a minute: another program, or another job, has the sessions now. */
const BUSY: ReadonlySet<HardwareReasonCode> = new Set<HardwareReasonCode>([
  'sessions-taken',
  'no-session-or-memory',
  'driver-silent',
  'permits-taken',
]);

/**
 * Messages of ffmpeg and the driver, with the reason that each stands for. The order matters: one failure writes
 * several lines, and guessing from the wrong one misleads users (HandBrake issue 7728).
 */
const MESSAGES: readonly (readonly [RegExp, keyof typeof TEXTS])[] = [
  [/Cannot load libcuda|Cannot load nvcuda|no CUDA-capable device|CUDA_ERROR_NO_DEVICE/i, 'no-gpu'],
  [/Unknown encoder/i, 'not-built-in'],
  [/incompatible client key/i, 'sessions-taken'],
  [/OpenEncodeSessionEx failed: out of memory/i, 'no-session-or-memory'],
  [/minimum required Nvidia driver|driver does not support the required nvenc API/i, 'driver-too-old'],
  [/No capable devices found|not supported|No NVENC capable/i, 'unsupported'],
];

export function hardwareReason(code: keyof typeof TEXTS): HardwareReason {
  return { code, text: TEXTS[code] };
}

/**
 * The reason that ffmpeg's output on standard error shows.
 *
 * @param fallback text where ffmpeg wrote nothing
 */
export function reasonFromStderr(stderr: string, fallback: string): HardwareReason {
  const known = MESSAGES.find(([pattern]) => pattern.test(stderr));
  if (known !== undefined) return hardwareReason(known[1]);
  const [line] = stderr.split('\n').filter((text) => text.trim() !== '');
  return { code: 'other', text: line?.trim() ?? fallback };
}

/** Whether NVENC may work again in a minute. */
export function isBusy({ code }: HardwareReason): boolean {
  return BUSY.has(code);
}
