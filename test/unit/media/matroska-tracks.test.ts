import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { MediaInfo, OtherStreamInfo } from '../../../src/domain/media-info.ts';
import { fitToMatroska } from '../../../src/media/join/matroska-tracks.ts';
import { planStreams } from '../../../src/media/join/stream-plan.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

test('a track whose first packets cannot be read stays as planned, for the verification to decide', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'a.mp4');
  // ffprobe rejects it, as it does a file whose share has just gone.
  writeFileSync(path, 'not a video');
  const audio = { index: 1, kind: 'audio', codec: 'aac', tag: 'mp4a' } as OtherStreamInfo;
  const source = { path, container: 'mov,mp4,m4a,3gp,3g2,mj2', startSeconds: 0, others: [audio] };
  const plan = planStreams(source as unknown as MediaInfo, 'mkv');
  expect(await fitToMatroska(source as unknown as MediaInfo, plan, join(folder, 'trial'))).toEqual(plan);
});
