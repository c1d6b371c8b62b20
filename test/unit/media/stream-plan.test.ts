import { expect, test } from 'vitest';
import type { MediaInfo, OtherStreamInfo } from '../../../src/domain/media-info.ts';
import {
  otherStreamArguments,
  planStreams,
  videoTag,
  withShifts,
} from '../../../src/media/join/stream-plan.ts';

const MP4 = 'mov,mp4,m4a,3gp,3g2,mj2';

function stream(
  index: number,
  kind: OtherStreamInfo['kind'],
  codec: string,
  attachedPicture = false,
): OtherStreamInfo {
  return { index, kind, codec, tag: '', language: null, attachedPicture, fileName: null };
}

function source(path: string, container: string, others: OtherStreamInfo[]): MediaInfo {
  return { path, container, others } as unknown as MediaInfo;
}

test('the container is kept if it supports every track', () => {
  const plan = planStreams(
    source('/in/a.MP4', MP4, [stream(1, 'audio', 'aac'), stream(2, 'subtitle', 'mov_text')]),
  );
  expect(plan).toMatchObject({ container: 'mp4', extension: '.mp4', containerReason: null });
  expect(otherStreamArguments(plan, 1)).toEqual([
    '-map',
    '1:1',
    '-c:a:0',
    'copy',
    '-map_metadata:s:a:0',
    '1:s:1',
    '-map',
    '1:2',
    '-c:s:0',
    'copy',
    '-map_metadata:s:s:0',
    '1:s:2',
  ]);
});

test('a track that MP4 does not support makes the output Matroska, with text subtitles converted', () => {
  const plan = planStreams(
    source('/in/a.mp4', MP4, [stream(1, 'audio', 'pcm_s16be'), stream(2, 'subtitle', 'mov_text')]),
  );
  expect(plan).toMatchObject({ container: 'matroska', extension: '.mkv' });
  expect(plan.containerReason).toBe('MP4 does not support the pcm_s16be audio track');
  expect(plan.fates.map((fate) => fate.codec)).toEqual(['copy', 'srt']);
});

test.each([
  ['/in/a.avi', 'avi'],
  ['/in/a.ts', 'mpegts'],
])('%s becomes Matroska, with the reason', (path, container) => {
  const plan = planStreams(source(path, container, []));
  expect(plan).toMatchObject({ container: 'matroska', extension: '.mkv' });
  expect(plan.containerReason).toMatch(/^\.\w+ is not supported as an output container$/);
});

test('WebM becomes Matroska too, and the reason says how to get WebM', () => {
  expect(planStreams(source('/in/a.webm', 'matroska,webm', []))).toMatchObject({
    ...{ container: 'matroska', extension: '.mkv' },
    containerReason: 'WebM needs VP9; to get it, set output.container to webm',
  });
});

test.each(['webm', 'gif'] as const)('a %s that stays one is no change of the container', (wanted) => {
  const container = wanted === 'gif' ? 'gif' : 'matroska,webm';
  expect(planStreams(source(`/in/a.${wanted}`, container, []), wanted).containerReason).toBeNull();
  expect(planStreams(source('/in/a.mp4', MP4, []), wanted).containerReason).toBe(
    `output.container is set to ${wanted}`,
  );
});

test('WebM converts audio to Opus and text subtitles to WebVTT, and drops what it cannot hold', () => {
  const codecs = ['opus', 'vorbis', 'ac3'].map((codec, i) => stream(1 + i, 'audio', codec));
  const subtitles = ['webvtt', 'subrip', 'hdmv_pgs_subtitle'].map((codec, i) =>
    stream(4 + i, 'subtitle', codec),
  );
  const others = [stream(7, 'attachment', 'ttf'), stream(8, 'data', 'bin_data'), stream(9, 'video', 'mjpeg')];
  const plan = planStreams(
    source('/in/a.mkv', 'matroska,webm', [...codecs, ...subtitles, ...others]),
    'webm',
  );
  expect(plan).toMatchObject({ container: 'webm', extension: '.webm' });
  expect(plan.fates.map(({ codec }) => codec)).toEqual([
    ...['copy', 'copy', 'opus', 'copy', 'webvtt', null],
    ...[null, null, null],
  ]);
  expect(plan.fates[8]?.reason).toBe('WebM does not support mjpeg');
});

test('Matroska stays Matroska, whatever the name of the file', () => {
  for (const name of ['noending', 'a.mp4', 'a.mkv'])
    expect(planStreams(source(`/in/${name}`, 'matroska,webm', []))).toMatchObject({
      ...{ container: 'matroska', extension: '.mkv', containerReason: null },
    });
});

test('a container that cannot be written is not called by the misleading extension of its file', () => {
  expect(planStreams(source('/in/a.mp4', 'mpegts', [])).containerReason).toBe(
    'the container of the source is not supported as an output container',
  );
});

test.each(['/in/a.3gp', '/in/a.f4v', '/in/noending'])('%s in the container of MP4 becomes MP4', (path) => {
  const plan = planStreams(source(path, MP4, [stream(1, 'audio', 'aac')]));
  expect(plan).toMatchObject({ container: 'mp4', extension: '.mp4', containerReason: null });
});

test('with mp4 as the wanted container, tracks that MP4 does not support are converted or dropped, with the reason', () => {
  const codecs = ['vorbis', 'aac'].map((codec, i) => stream(1 + i, 'audio', codec));
  const subtitles = ['subrip', 'hdmv_pgs_subtitle'].map((codec, i) => stream(3 + i, 'subtitle', codec));
  const plan = planStreams(source('/in/a.mkv', 'matroska,webm', [...codecs, ...subtitles]), 'mp4');
  expect(plan).toMatchObject({
    container: 'mp4',
    extension: '.mp4',
    containerReason: 'output.container is set to mp4',
  });
  expect(plan.fates.map(({ codec, reason }) => [codec, reason])).toEqual([
    ['aac', 'MP4 does not support vorbis'],
    ['copy', null],
    ['mov_text', 'MP4 does not support subrip'],
    [null, 'MP4 does not support hdmv_pgs_subtitle'],
  ]);
  expect(otherStreamArguments(plan, 1).join(' ')).toMatch(
    /-map 1:1 -c:a:0 aac -b:a:0 256k .*-c:s:0 mov_text/,
  );
  expect(planStreams(source('/in/a.m4v', MP4, []), 'mp4')).toMatchObject({
    extension: '.m4v',
    containerReason: null,
  });
});

test('with mkv as the wanted container, an MP4 becomes Matroska', () => {
  const plan = planStreams(source('/in/a.mp4', MP4, [stream(1, 'subtitle', 'mov_text')]), 'mkv');
  expect(plan).toMatchObject({
    container: 'matroska',
    extension: '.mkv',
    containerReason: 'output.container is set to mkv',
  });
  expect(plan.fates).toMatchObject([{ codec: 'srt' }]);
});

test('every dropped stream has a reason', () => {
  const others = [
    stream(1, 'data', 'bin_data'),
    stream(2, 'audio', 'unknown'),
    stream(3, 'video', 'h264'),
    stream(4, 'video', 'mjpeg', true),
    stream(5, 'attachment', 'ttf'),
  ];
  const plan = planStreams(source('/in/a.mkv', 'matroska,webm', others));
  expect(plan.fates.map((fate) => fate.codec)).toEqual([null, null, 'copy', 'copy', 'copy']);
  for (const fate of plan.fates) expect(fate.codec === null).toBe(fate.reason !== null);
  // A cover image is a video stream in MP4, but an attachment in Matroska.
  expect(otherStreamArguments(plan, 1)).not.toContain('1:4');
  const mp4 = planStreams(source('/in/a.mp4', MP4, [stream(4, 'video', 'mjpeg', true)]));
  expect(otherStreamArguments(mp4, 1)).toEqual(expect.arrayContaining(['1:4', 'attached_pic']));
});

test('changing parameter sets need another video tag in MP4 and MOV', () => {
  expect(videoTag('h264', 'mp4', 1)).toEqual(['-tag:v:0', 'avc1']);
  expect(videoTag('h264', 'mp4', 2)).toEqual(['-tag:v:0', 'avc3']);
  expect(videoTag('hevc', 'mov', 2)).toEqual(['-tag:v:0', 'hev1']);
  expect(videoTag('h264', 'matroska', 2)).toEqual([]);
});

test('a track without frames and a track with an unknown codec are dropped with a reason', () => {
  const plan = planStreams(
    source('/in/a.mp4', MP4, [stream(0, 'video', 'none'), stream(2, 'audio', 'unknown')]),
  );
  expect(plan.fates).toMatchObject([
    { codec: null, reason: 'no decodable frames' },
    { codec: null, reason: 'unknown codec' },
  ]);
  expect(plan.container).toBe('mp4');
});

test('an audio track out of sync is moved once, then converted, moved once more and dropped', () => {
  let plan = planStreams(source('/in/a.mp4', MP4, [stream(1, 'audio', 'aac')]));
  const codecs = [0.2, 0.1, -0.3, 0.1].map((shift) => {
    plan = withShifts(plan, new Map([[1, shift]]));
    const [fate] = plan.fates;
    return `${fate?.codec} ${fate?.movedSeconds}`;
  });
  expect(codecs).toEqual(['copy 0.2', 'aac undefined', 'aac -0.3', 'null undefined']);
  expect(plan.fates[0]?.reason).toBe('still out of sync after a shift');
});
