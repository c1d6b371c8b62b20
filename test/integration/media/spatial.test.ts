import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Job } from '../../../src/domain/job.ts';
import type { MediaInfo, SpatialLayout } from '../../../src/domain/media-info.ts';
import { spatialRemarks } from '../../../src/job/finish/build-report.ts';
import { withHeaderBoxes } from '../../../src/media/join/header-boxes.ts';
import { parseSpatialLayout } from '../../../src/media/probe/spatial-layout.ts';
import { ffmpeg, makeClip } from '../../helpers/clips.ts';
import { passThrough } from '../../helpers/media-steps.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const SPHERE = { yaw: 30, pitch: -10, roll: 0, top: 0, bottom: 0, left: 0, right: 0 };
const QUARTER = 2 ** 30;
const EQUIRECTANGULAR = {
  side_data_type: 'Spherical Mapping',
  projection: 'equirectangular',
  ...{ yaw: 30, pitch: -10, roll: 0 },
};

function sideData(path: string): unknown[] {
  const args = ['-v', 'error', '-of', 'json', '-select_streams', 'v', '-show_streams', path];
  const { streams } = JSON.parse(execFileSync('ffprobe', args, { encoding: 'utf8' })) as {
    streams: { side_data_list?: unknown[] }[];
  };
  return streams[0]?.side_data_list ?? [];
}

/** Adds metadata to a clip whose header is at its end. */
function makeSpatial(path: string, layout: Omit<SpatialLayout, 'leftOut'>): void {
  const clip = makeClip(`${path}.plain.mp4`, { frames: 5, audio: false });
  const file = readFileSync(clip);
  const moov = file.indexOf('moov', 0, 'latin1') - 4;
  const header = withHeaderBoxes(file.subarray(moov), { spatial: { ...layout, leftOut: [] }, hdr: null });
  writeFileSync(path, Buffer.concat([file.subarray(0, moov), header]));
}

test.each<[string, Omit<SpatialLayout, 'leftOut'>, unknown[]]>([
  [
    'stereo and sphere',
    { stereo: 'top and bottom', spherical: SPHERE },
    [{ side_data_type: 'Stereo 3D', type: 'top and bottom', inverted: 0 }, EQUIRECTANGULAR],
  ],
  [
    'half a sphere, as VR180',
    { stereo: 'side by side', spherical: { ...SPHERE, left: QUARTER, right: QUARTER } },
    [
      { side_data_type: 'Stereo 3D', type: 'side by side', inverted: 0 },
      {
        ...{ ...EQUIRECTANGULAR, projection: 'tiled equirectangular' },
        ...{ bound_left: 33, bound_right: 31, bound_top: 0, bound_bottom: 0 },
      },
    ],
  ],
])('spherical and stereo 3D metadata are kept in MP4: %s', async (_, layout, expected) => {
  const folder = temporaryFolder();
  const path = join(folder, 'a.mp4');
  makeSpatial(path, layout);
  expect(sideData(path)).toEqual(expected);
  const { outputPath } = await passThrough(path, folder);
  expect(sideData(outputPath)).toEqual(expected);
});

test('the report says where they are left out', () => {
  const spatial: SpatialLayout = { stereo: null, spherical: SPHERE, leftOut: ['stereo 3D (checkerboard)'] };
  const media = { video: { spatial } } as unknown as MediaInfo;
  const upscale = { recipe: { pipeline: 'upscale' } } as unknown as Job;
  const split = { recipe: { pipeline: 'dual-face' } } as unknown as Job;
  const unknown = 'stereo 3D (checkerboard) metadata dropped';
  expect(spatialRemarks(upscale, media, { container: 'mp4' })).toEqual([unknown]);
  expect(spatialRemarks(upscale, media, { container: 'mov' })).toEqual([
    unknown,
    'stereo 3D and spherical metadata dropped: ffmpeg cannot write them to MOV; to keep them, set output.container to mp4',
  ]);
  expect(spatialRemarks(split, media, { container: 'mp4' })).toHaveLength(2);
});

test('stereo 3D of Matroska is kept', async () => {
  const folder = temporaryFolder();
  const clip = makeClip(join(folder, 'plain.mp4'), { frames: 5, audio: false });
  const path = join(folder, 'a.mkv');
  ffmpeg('-i', clip, '-c', 'copy', '-metadata:s:v', 'stereo_mode=top_bottom', path);
  const { outputPath } = await passThrough(path, folder);
  expect(sideData(outputPath)).toEqual([
    { side_data_type: 'Stereo 3D', type: 'top and bottom', inverted: 0 },
  ]);
});

test('metadata that cannot be kept are named', () => {
  const size = { width: 64, height: 48 };
  const list = [
    { side_data_type: 'Stereo 3D', type: 'checkerboard', inverted: 0 },
    { side_data_type: 'Spherical Mapping', projection: 'cubemap' },
  ];
  expect(parseSpatialLayout(list, size)).toEqual({
    stereo: null,
    spherical: null,
    leftOut: ['stereo 3D (checkerboard)', 'spherical projection (cubemap)'],
  });
  expect(parseSpatialLayout([], size)).toBeNull();
});
