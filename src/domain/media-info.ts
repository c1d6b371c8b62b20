/** A fraction as ffmpeg writes it. `den` is never 0. */
export interface Rational {
  readonly num: number;
  readonly den: number;
}

/** Colour description in ffmpeg's names (`bt709`, `smpte170m`, …); `null` where the file says nothing. */
export interface ColorInfo {
  readonly range: 'tv' | 'pc' | null;
  readonly matrix: string | null;
  readonly primaries: string | null;
  readonly transfer: string | null;
}

/** What a screen has to know to show HDR: static metadata of SMPTE ST 2086 and CTA-861.3. */
export interface HdrMetadata {
  /** Chromaticities in units of 0.00002, luminances in units of 0.0001 cd/m², as the bit stream has them. */
  readonly mastering: {
    readonly red: Point;
    readonly green: Point;
    readonly blue: Point;
    readonly white: Point;
    readonly minLuminance: number;
    readonly maxLuminance: number;
  } | null;
  /** cd/m². */
  readonly lightLevel: { readonly maxContent: number; readonly maxAverage: number } | null;
}

export type Point = readonly [x: number, y: number];

export interface VideoStreamInfo {
  /** Index of the stream in the file. */
  readonly index: number;
  readonly codec: string;
  /** Pixels, as a viewer sees them: after rotation. */
  readonly width: number;
  readonly height: number;
  readonly pixelFormat: string;
  readonly bitsPerComponent: number;
  readonly timeBase: Rational;
  /** Average frames a second as the header claims it; an estimate, never used for timing. */
  readonly averageFrameRate: Rational | null;
  /** Pixel width over height, after rotation; 1/1 where the file says nothing. */
  readonly sampleAspectRatio: Rational;
  /** Clockwise degrees that ffmpeg turns the stored image by: 0, 90, 180 or 270. */
  readonly rotationDegrees: number;
  /** Whether ffmpeg mirrors the stored image too. */
  readonly mirrored: boolean;
  readonly color: ColorInfo;
  readonly interlaced: boolean;
  readonly hasAlpha: boolean;
  readonly hdr: HdrMetadata | null;
  /** Such as `Dolby Vision`: metadata a frame that cannot be carried over; null where there is none. */
  readonly dynamicHdr: string | null;
  /** The stream's own length in seconds as the header claims it; null where it does not. */
  readonly durationSeconds: number | null;
  /** ffmpeg's names of the flags that are set, such as `default`. */
  readonly dispositions: readonly string[];
}

export interface OtherStreamInfo {
  readonly index: number;
  readonly kind: 'audio' | 'subtitle' | 'attachment' | 'data' | 'video';
  readonly codec: string;
  readonly language: string | null;
  /** A cover image rather than a moving one. */
  readonly attachedPicture: boolean;
  /** Of an attachment or a cover image; null where it has none. */
  readonly fileName: string | null;
}

/** What a probe of a file found: the main video stream and everything that stands beside it. */
export interface MediaInfo {
  readonly path: string;
  /** ffmpeg's name of the demuxer, such as `mov,mp4,m4a,3gp,3g2,mj2`. */
  readonly container: string;
  /** Seconds, as the header claims; null where it does not. */
  readonly durationSeconds: number | null;
  /** Seconds; the earliest timestamp of any stream. 0 where unknown. */
  readonly startSeconds: number;
  readonly bytes: number;
  readonly video: VideoStreamInfo;
  readonly others: readonly OtherStreamInfo[];
  readonly chapterCount: number;
}

/** How finely colour is stored: for each pixel, for each two in a row, for each four. */
export type Chroma = '444' | '422' | '420';

/** Packed RGB as frames travel between the stages: 8 bit a component, or 16 bit little-endian for deeper sources. */
export interface FrameFormat {
  readonly width: number;
  readonly height: number;
  readonly pixelFormat: 'rgb24' | 'rgb48le';
}

/** Size of one frame in bytes. */
export function frameBytes(format: FrameFormat): number {
  return format.width * format.height * (format.pixelFormat === 'rgb24' ? 3 : 6);
}
