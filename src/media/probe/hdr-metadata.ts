import { z } from 'zod';
import type { HdrMetadata, Point } from '../../domain/media-info.ts';

/** One entry of ffprobe's `side_data_list`, of a stream or of a frame. */
export const SideData = z.looseObject({
  side_data_type: z.string().optional(),
  rotation: z.number().optional(),
  displaymatrix: z.string().optional(),
});
export type SideData = z.infer<typeof SideData>;

/** Units per 1.0 of a chromaticity and per cd/m² of a luminance in SMPTE ST 2086. */
const CHROMATICITY = 50_000;
const LUMINANCE = 10_000;

/** Parses the static HDR metadata in the side data of a stream or frame; null if there is none. */
export function parseHdrMetadata(list: readonly SideData[]): HdrMetadata | null {
  const mastering = parseMastering(list.find((entry) => entry.side_data_type === MASTERING));
  const lightLevel = parseLightLevel(list.find((entry) => entry.side_data_type === LIGHT_LEVEL));
  return mastering === null && lightLevel === null ? null : { mastering, lightLevel };
}

/** Static HDR metadata of the container, with what only the stream has. */
export function joinHdrMetadata(
  container: HdrMetadata | null,
  stream: HdrMetadata | null,
): HdrMetadata | null {
  if (container === null || stream === null) return container ?? stream;
  return {
    mastering: container.mastering ?? stream.mastering,
    lightLevel: container.lightLevel ?? stream.lightLevel,
  };
}

const MASTERING = 'Mastering display metadata';
const LIGHT_LEVEL = 'Content light level metadata';

function parseMastering(entry: SideData | undefined): HdrMetadata['mastering'] {
  if (entry === undefined) return null;
  const number = (key: string, unit: number): number => Math.round(unit * fraction(entry[key]));
  const point = (name: string): Point => [
    number(`${name}_x`, CHROMATICITY),
    number(`${name}_y`, CHROMATICITY),
  ];
  const mastering = {
    red: point('red'),
    green: point('green'),
    blue: point('blue'),
    white: point('white_point'),
    minLuminance: number('min_luminance', LUMINANCE),
    maxLuminance: number('max_luminance', LUMINANCE),
  };
  // Some entries hold only luminances, but encoders need every value.
  const numbers = [...mastering.red, ...mastering.green, ...mastering.blue, ...mastering.white];
  return [...numbers, mastering.minLuminance, mastering.maxLuminance].every(Number.isFinite)
    ? mastering
    : null;
}

function parseLightLevel(entry: SideData | undefined): HdrMetadata['lightLevel'] {
  const [maxContent, maxAverage] = [Number(entry?.['max_content']), Number(entry?.['max_average'])];
  return Number.isFinite(maxContent) && Number.isFinite(maxAverage) ? { maxContent, maxAverage } : null;
}

/** Parses a fraction such as `34000/50000`; NaN for anything else. */
function fraction(text: unknown): number {
  const [num, den] = typeof text === 'string' ? text.split('/').map(Number) : [];
  return num === undefined || den === undefined ? NaN : num / den;
}

/** Parameters (`name=value`) that make libx264 or libx265 write the HDR metadata into the stream. */
export function hdrParameters(encoder: 'libx264' | 'libx265', hdr: HdrMetadata): string[] {
  const { mastering, lightLevel } = hdr;
  const pair = ([x, y]: Point): string => `(${x},${y})`;
  const parameters: string[] = [];
  if (mastering !== null) {
    const { red, green, blue, white, minLuminance, maxLuminance } = mastering;
    const value = `G${pair(green)}B${pair(blue)}R${pair(red)}WP${pair(white)}L(${maxLuminance},${minLuminance})`;
    parameters.push(`${encoder === 'libx265' ? 'master-display' : 'mastering-display'}=${value}`);
  }
  if (lightLevel !== null) {
    const value = `${lightLevel.maxContent},${lightLevel.maxAverage}`;
    parameters.push(`${encoder === 'libx265' ? 'max-cll' : 'cll'}=${value}`);
  }
  return parameters;
}
