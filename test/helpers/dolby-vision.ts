import { readFileSync, writeFileSync } from 'node:fs';
import { box, withSampleEntryBoxes } from '../../src/media/join/header-boxes.ts';

/** Adds the configuration of Dolby Vision with one layer and its metadata (`dvcC`) to an MP4 whose header is at its end. */
export function withDolbyVision(path: string, profile: number, compatibility: number): void {
  const file = readFileSync(path);
  const moov = file.indexOf('moov', 0, 'latin1') - 4;
  const record = Buffer.alloc(24);
  record.set([1, 0, profile << 1, (3 << 3) | 0b101, compatibility << 4]);
  const header = withSampleEntryBoxes(file.subarray(moov), [box('dvcC', record)]);
  writeFileSync(path, Buffer.concat([file.subarray(0, moov), header]));
}
