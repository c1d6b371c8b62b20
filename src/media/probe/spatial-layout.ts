import type { SpatialLayout } from '../../domain/media-info.ts';
import type { SideData } from './hdr-metadata.ts';

const ARRANGEMENTS: readonly SpatialLayout['stereo'][] = ['top and bottom', 'side by side'];
/** Parts of a whole in a bound of a projection. */
const WHOLE = 2 ** 32;

/** Parses the stereo 3D and spherical metadata in the side data of a stream; null if there is none. */
export function parseSpatialLayout(
  list: readonly SideData[],
  size: { readonly width: number; readonly height: number },
): SpatialLayout | null {
  const stereo = list.find((entry) => entry.side_data_type === 'Stereo 3D');
  const sphere = list.find((entry) => entry.side_data_type === 'Spherical Mapping');
  if (stereo === undefined && sphere === undefined) return null;
  const arrangement = ARRANGEMENTS.find((name) => name === stereo?.['type']) ?? null;
  const isKept = arrangement !== null && stereo?.['inverted'] !== 1;
  const spherical = sphere === undefined ? null : parseSphere(sphere, size);
  return {
    stereo: isKept ? arrangement : null,
    spherical,
    leftOut: [
      ...(stereo === undefined || isKept || stereo['type'] === '2D'
        ? []
        : [`stereo 3D (${String(stereo['type'])})`]),
      ...(sphere === undefined || spherical !== null
        ? []
        : [`spherical projection (${String(sphere['projection'])})`]),
    ],
  };
}

function parseSphere(
  entry: SideData,
  { width, height }: { readonly width: number; readonly height: number },
): SpatialLayout['spherical'] {
  if (entry['projection'] !== 'equirectangular' && entry['projection'] !== 'tiled equirectangular')
    return null;
  const number = (name: string): number => {
    const value = Number(entry[name] ?? 0);
    return Number.isFinite(value) ? value : 0;
  };
  /** ffprobe gives a bound in pixels of the stored part, and rounds the first of two equal ones up. */
  const part = (name: string, stored: number, other: string): number => {
    const [own, opposite] = [number(name), number(other)];
    const cut = Math.abs(own - opposite) <= 2 ? (own + opposite) / 2 : own;
    const share = cut / Math.max(1, stored + own + opposite);
    return Math.min(WHOLE - 1, Math.max(0, Math.round(share * WHOLE)));
  };
  return {
    yaw: number('yaw'),
    pitch: number('pitch'),
    roll: number('roll'),
    top: part('bound_top', height, 'bound_bottom'),
    bottom: part('bound_bottom', height, 'bound_top'),
    left: part('bound_left', width, 'bound_right'),
    right: part('bound_right', width, 'bound_left'),
  };
}
