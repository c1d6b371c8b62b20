import type { SideData } from './hdr-metadata.ts';

/** Kinds of HDR metadata that change from frame to frame, by the beginning of their names in ffprobe. */
const KINDS: readonly (readonly [beginning: string, name: string])[] = [
  ['DOVI', 'Dolby Vision'],
  ['Dolby Vision', 'Dolby Vision'],
  ['HDR Dynamic Metadata SMPTE2094-40', 'HDR10+'],
  ['HDR Dynamic Metadata CUVA', 'HDR Vivid'],
];

/** Kind of per-frame HDR metadata in the side data of a stream or frame, such as `Dolby Vision`; null if there is none. */
export function dynamicHdrOf(list: readonly SideData[]): string | null {
  const found = KINDS.find(([beginning]) =>
    list.some(({ side_data_type: type }) => type?.startsWith(beginning) === true),
  );
  return found?.[1] ?? null;
}

/** Whether a stream is Dolby Vision whose frames look right only with its metadata, as in profile 5. */
export function needsDolbyVision(list: readonly SideData[]): boolean {
  return list.some(
    (entry) =>
      entry.side_data_type?.startsWith('DOVI') === true && entry['dv_bl_signal_compatibility_id'] === 0,
  );
}
