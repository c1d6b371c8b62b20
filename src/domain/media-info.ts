/** A fraction as ffmpeg writes it. `den` is never 0. */
export interface Rational {
  readonly num: number;
  readonly den: number;
}

/** Colour description in ffmpeg's names (`bt709`, `smpte170m`, …); `null` for a missing tag. */
export interface ColorInfo {
  readonly range: 'tv' | 'pc' | null;
  readonly matrix: string | null;
  readonly primaries: string | null;
  readonly transfer: string | null;
  readonly chromaLocation: ChromaLocation | null;
}

/** Where a chroma sample lies in its block of pixels as stored, in ffmpeg's names; `left` is in the middle vertically. */
export type ChromaLocation = 'left' | 'center' | 'topleft' | 'top' | 'bottomleft' | 'bottom';

/** Static HDR metadata (SMPTE ST 2086 and CTA-861.3). */
export interface HdrMetadata {
  /** Chromaticities in units of 0.00002, luminances in units of 0.0001 cd/m², as in the bit stream. */
  readonly mastering: {
    readonly red: Point;
    readonly green: Point;
    readonly blue: Point;
    readonly white: Point;
    readonly minLuminance: number;
    readonly maxLuminance: number;
  } | null;
  /** Content light levels in cd/m². */
  readonly lightLevel: { readonly maxContent: number; readonly maxAverage: number } | null;
}

/** How a frame shows two eyes or a sphere. */
export interface SpatialLayout {
  readonly stereo: 'top and bottom' | 'side by side' | null;
  /** An equirectangular projection: its pose in degrees, and the parts of 2^32 that are cut off at each side. */
  readonly spherical: {
    readonly yaw: number;
    readonly pitch: number;
    readonly roll: number;
    readonly top: number;
    readonly bottom: number;
    readonly left: number;
    readonly right: number;
  } | null;
  /** What of it cannot be kept, one phrase each. */
  readonly leftOut: readonly string[];
}

export type Point = readonly [x: number, y: number];

export interface VideoStreamInfo {
  /** Whether it is a still image, such as a photo. */
  readonly isStill: boolean;
  /** Index of the stream in the file. */
  readonly index: number;
  readonly codec: string;
  /** Width in pixels, after rotation. */
  readonly width: number;
  readonly height: number;
  readonly pixelFormat: string;
  readonly bitsPerComponent: number;
  readonly timeBase: Rational;
  /** Average frame rate according to the header: an estimate, never used for timing. */
  readonly averageFrameRate: Rational | null;
  /** Width of a pixel divided by its height, after rotation; 1/1 if the file does not specify it. */
  readonly sampleAspectRatio: Rational;
  /** Degrees by which ffmpeg rotates the stored image clockwise: 0, 90, 180 or 270. */
  readonly rotationDegrees: number;
  /** Whether ffmpeg also mirrors the stored image. */
  readonly mirrored: boolean;
  readonly color: ColorInfo;
  /** Whether the header marks the stream as interlaced, which its frames need not be. */
  readonly interlaced: boolean;
  readonly hasAlpha: boolean;
  readonly hdr: HdrMetadata | null;
  /** Stereo 3D and spherical metadata; null or absent if there are none. */
  readonly spatial?: SpatialLayout | null;
  /** Kind of per-frame HDR metadata, which cannot be carried over, such as `Dolby Vision`; null if there is none. */
  readonly dynamicHdr: string | null;
  /** Duration of the stream in seconds according to the header; null if not specified. */
  readonly durationSeconds: number | null;
  /** First timestamp of the stream in seconds; null if not specified. */
  readonly startSeconds: number | null;
  /** Dispositions that are set, in ffmpeg's names, such as `default`. */
  readonly dispositions: readonly string[];
}

export interface OtherStreamInfo {
  readonly index: number;
  readonly kind: 'audio' | 'subtitle' | 'attachment' | 'data' | 'video';
  readonly codec: string;
  /** Code of four characters that names the format in MP4 and MOV, such as `gpmd`; empty in other containers. */
  readonly tag: string;
  readonly language: string | null;
  /** Whether the stream is a cover image. */
  readonly attachedPicture: boolean;
  /** File name of an attachment or a cover image, or null. */
  readonly fileName: string | null;
}

/** Result of probing a file: the main video stream and all other streams. */
export interface MediaInfo {
  readonly path: string;
  /** ffmpeg's name of the demuxer, such as `mov,mp4,m4a,3gp,3g2,mj2`. */
  readonly container: string;
  /** Duration according to the header; null if not specified. */
  readonly durationSeconds: number | null;
  /** Earliest timestamp of any stream; 0 if unknown. */
  readonly startSeconds: number;
  readonly bytes: number;
  readonly video: VideoStreamInfo;
  readonly others: readonly OtherStreamInfo[];
  readonly chapterCount: number;
  /** Names of the tags of the file, such as `title`. */
  readonly tagNames: readonly string[];
}

/** Chroma subsampling: 4:4:4, 4:2:2 or 4:2:0. */
export type Chroma = '444' | '422' | '420';

/** Packed RGB with 8 bits per component, or with 16 bits little-endian for deeper sources. */
export type RgbFormat = 'rgb24' | 'rgb48le';

/** Planar YUV as the encoders read it, with 8 bits per component, or with 10 for deeper sources. */
export type YuvFormat = `yuv${Chroma}p${'' | '10le'}`;

/** Frames as passed between stages: packed RGB for pipelines, YUV where the decoder delivers them ready to encode. */
export interface FrameFormat {
  readonly width: number;
  readonly height: number;
  readonly pixelFormat: RgbFormat | YuvFormat;
}

/** Size of one frame in bytes. */
export function frameBytes({ width, height, pixelFormat }: FrameFormat): number {
  const bytesPerComponent = isDeep(pixelFormat) ? 2 : 1;
  return width * height * componentsPerPixel(pixelFormat) * bytesPerComponent;
}

export function isRgbFormat(pixelFormat: FrameFormat['pixelFormat']): pixelFormat is RgbFormat {
  return pixelFormat.startsWith('rgb');
}

/** Whether a component has more than 8 bits. */
export function isDeep(pixelFormat: FrameFormat['pixelFormat']): boolean {
  return pixelFormat.endsWith('le');
}

/** Frames with fewer chroma samples have an even width and height. */
function componentsPerPixel(pixelFormat: FrameFormat['pixelFormat']): number {
  if (pixelFormat.includes('420')) return 1.5;
  return pixelFormat.includes('422') ? 2 : 3;
}
