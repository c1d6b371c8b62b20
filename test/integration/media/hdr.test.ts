import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { imageRemarks } from '../../../src/job/finish/build-report.ts';
import { box, withHeaderBoxes, withSampleEntryBoxes } from '../../../src/media/join/header-boxes.ts';
import { dynamicHdrOf } from '../../../src/media/probe/dynamic-hdr.ts';
import { probeMedia } from '../../../src/media/probe/probe-media.ts';
import { ffmpeg, framePsnr } from '../../helpers/clips.ts';
import { withDolbyVision } from '../../helpers/dolby-vision.ts';
import { LIMITS, passThrough } from '../../helpers/media-steps.ts';
import { sharedMedia, whyNoSharedMedia } from '../../helpers/shared-media.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const MASTERING = 'G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)';

function makeHevc(path: string, transfer: string, parameters = ''): string {
  const source = [
    '-f',
    'lavfi',
    '-i',
    'testsrc2=size=128x72:rate=25',
    '-frames:v',
    '4',
    '-pix_fmt',
    'yuv420p10le',
  ];
  const tags = ['-color_primaries', 'bt2020', '-color_trc', transfer, '-colorspace', 'bt2020nc'];
  const encoder = ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', `log-level=error${parameters}`];
  ffmpeg(...source, ...tags, ...encoder, '-tag:v', 'hvc1', path);
  return path;
}

/** Side data that the container itself has, which players read before they decode. */
function containerSideData(path: string): Record<string, unknown>[] {
  const args = ['-v', 'error', '-of', 'json', '-select_streams', 'v', '-show_streams', path];
  const { streams } = JSON.parse(execFileSync('ffprobe', args, { encoding: 'utf8' })) as {
    streams: { side_data_list?: Record<string, unknown>[] }[];
  };
  return streams[0]?.side_data_list ?? [];
}

test.each(['mp4', 'mov', 'mkv'])(
  'HDR10 metadata are in the stream and in the container: %s',
  async (container) => {
    const folder = temporaryFolder();
    const plain = makeHevc(
      join(folder, 'a.mp4'),
      'smpte2084',
      `:master-display=${MASTERING}:max-cll=1000,400`,
    );
    const path = join(folder, `source.${container}`);
    ffmpeg('-i', plain, '-c', 'copy', '-tag:v', container === 'mkv' ? '0' : 'hvc1', path);
    const { outputPath, result, opened } = await passThrough(path, folder, 'libx265');
    expect(result.video.hdr).toEqual(opened.media.video.hdr);
    expect(result.video.color).toMatchObject({
      transfer: 'smpte2084',
      matrix: 'bt2020nc',
      primaries: 'bt2020',
    });
    const inContainer = containerSideData(outputPath);
    expect(inContainer.map(({ side_data_type: type }) => type).sort()).toEqual([
      'Content light level metadata',
      'Mastering display metadata',
    ]);
    expect(Object.assign({}, ...inContainer)).toMatchObject({ max_content: 1000, max_average: 400 });
  },
);

test('HDR10 metadata that only the stream has are added to those of the container', async () => {
  const path = makeHevc(
    join(temporaryFolder(), 'a.mp4'),
    'smpte2084',
    `:master-display=${MASTERING}:max-cll=1000,400`,
  );
  const { hdr } = (await probeMedia(path, LIMITS)).video;
  const file = readFileSync(path);
  const moov = file.indexOf('moov', 0, 'latin1') - 4;
  const lightLevel = box('clli', Buffer.from([0x03, 0xe8, 0x01, 0x90]));
  writeFileSync(
    path,
    Buffer.concat([file.subarray(0, moov), withSampleEntryBoxes(file.subarray(moov), [lightLevel])]),
  );
  expect(containerSideData(path)).toHaveLength(1);
  expect((await probeMedia(path, LIMITS)).video.hdr).toEqual(hdr);
});

test('HLG is kept', async () => {
  const folder = temporaryFolder();
  const { result } = await passThrough(makeHevc(join(folder, 'a.mp4'), 'arib-std-b67'), folder, 'libx265');
  expect(result.video.color).toMatchObject({
    ...{ range: 'tv', transfer: 'arib-std-b67', matrix: 'bt2020nc', primaries: 'bt2020' },
  });
});

test('of Dolby Vision profile 8 the base layer is kept, and the report says what is not', async () => {
  const folder = temporaryFolder();
  const path = makeHevc(join(folder, 'a.mp4'), 'smpte2084', `:master-display=${MASTERING}:max-cll=1000,400`);
  withDolbyVision(path, 8, 1);
  const { result, opened, outputPath } = await passThrough(path, folder, 'libx265');
  const { media, format } = opened;
  expect(imageRemarks(media, { output: format }, '420')).toContain(
    'Dolby Vision metadata dropped; base layer kept',
  );
  expect(result.video.dynamicHdr).toBeNull();
  expect(containerSideData(outputPath)).toHaveLength(2);
  expect(result.video.hdr?.mastering).toMatchObject({ maxLuminance: 10_000_000 });
});

test.skipIf(whyNoSharedMedia !== null)(
  'a Dolby Vision video of a phone becomes its base layer',
  { tags: ['slow'], timeout: 60_000 },
  async () => {
    const source = sharedMedia('awkward/ax_dolbyVision-hdr.MOV');
    const { result, outputPath, opened } = await passThrough(source, temporaryFolder(), 'libx265');
    expect(opened.media.video.dynamicHdr).toBe('Dolby Vision');
    expect(result.video.dynamicHdr).toBeNull();
    expect(result.video.color).toMatchObject({ transfer: 'arib-std-b67', matrix: 'bt2020nc', range: 'tv' });
    expect(Math.min(...framePsnr(outputPath, source))).toBeGreaterThan(45);
  },
);

test('Dolby Vision profile 5, whose base layer has other colours, is rejected', async () => {
  const path = makeHevc(join(temporaryFolder(), 'five.mp4'), 'smpte2084');
  withDolbyVision(path, 5, 0);
  const failure = probeMedia(path, LIMITS);
  await expect(failure).rejects.toMatchObject({ code: 'UNSUPPORTED_COLOR' });
  await expect(failure).rejects.toThrow('five.mp4 is Dolby Vision profile 5');
});

test.each([
  ['HDR Dynamic Metadata SMPTE2094-40 (HDR10+)', 'HDR10+'],
  ['HDR Dynamic Metadata CUVA 005.1 2021 (Vivid)', 'HDR Vivid'],
  ['Dolby Vision RPU Data', 'Dolby Vision'],
  ['Mastering display metadata', null],
])('metadata of frames are named: %s', (type, name) => {
  expect(dynamicHdrOf([{ side_data_type: type }])).toBe(name);
});

test('impossible luminances of an untrusted file do not break the output', () => {
  const point = [-1, 1e6] as const;
  const mastering = {
    red: point,
    green: point,
    blue: point,
    white: point,
    minLuminance: -5,
    maxLuminance: 1e12,
  };
  const hdr = { mastering, lightLevel: { maxContent: 1e9, maxAverage: -1 } };
  const moov = box(
    'moov',
    box('trak', box('mdia', box('minf', box('stbl', box('stsd', Buffer.alloc(8), box('hvc1')))))),
  );
  expect(withHeaderBoxes(moov, { spatial: null, hdr }).length).toBe(moov.length + 32 + 12);
});
