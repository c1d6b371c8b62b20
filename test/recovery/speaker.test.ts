import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ffmpeg, frameMd5 } from '../helpers/clips.ts';
import { failPointFolder } from '../helpers/fail-points.ts';
import { makeHome, readLog, run, start } from '../helpers/framekiln.ts';
import { sharedMedia, sharedModels, whyNoSharedMedia } from '../helpers/shared-media.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const FRAMES = 100;
const LIMIT_MS = 240_000;
/** In both passes, and around the decisions, which the audio is decoded for. */
const KILLED_AT = [
  ['commit-analysis.committed', 2],
  ['store-directions.before-commit', 1],
  ['store-directions.committed', 1],
  ['transformed-frame.written', 30],
] as const;

/** A home with a clip of a man who talks beside somebody who does not, and of audio that is loud while he talks. */
function homeWithClip(): string {
  const home = makeHome(temporaryFolder());
  const clip = join(home, 'input/dual-face/two.mp4');
  mkdirSync(join(home, 'input/dual-face'));
  const graph = [
    '[0]setpts=N/25/TB,scale=176:144,pad=352:288:88:72:gray[a]',
    '[1]fps=25,scale=960:720,crop=352:288:294:20,tpad=stop=100:stop_mode=clone[b];[b][a]hstack[v]',
  ].join(';');
  ffmpeg(
    ...['-i', sharedMedia('upscale/test_cif_P_CABAC_slice.264'), '-i', sharedMedia('faces/again.mkv')],
    ...['-f', 'lavfi', '-i', "sine=d=4,volume='if(lt(t,3),0.5,0.01)':eval=frame"],
    ...[
      '-filter_complex',
      graph,
      '-map',
      '[v]',
      '-map',
      '2',
      '-fps_mode',
      'passthrough',
      '-frames:v',
      String(FRAMES),
    ],
    ...['-pix_fmt', 'yuv420p', '-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac', clip],
  );
  const model = sharedModels('yunet_n_640_640.onnx');
  const keys = { model, width: 320, height: 180, layout: 'speaker', enhance: 'off' };
  writeFileSync(`${clip}.recipe.yaml`, JSON.stringify(keys));
  return home;
}

const once = (home: string): string[] => ['start', '--once', '--home', home];
const resultOf = (home: string): string[] => frameMd5(join(home, 'output/dual-face/two.mp4'));

function decisionsIn(home: string): unknown {
  return JSON.parse(readFileSync(join(home, '.framekiln/reports/1.split-screen.json'), 'utf8'));
}

test.skipIf(whyNoSharedMedia !== null)(
  'after kills in both passes, a video that follows the speaker equals that of an undisturbed run',
  { tags: ['slow'], timeout: 600_000 },
  async () => {
    const undisturbed = homeWithClip();
    expect(run(once(undisturbed), {}, LIMIT_MS).status).toBe(0);
    const wanted = resultOf(undisturbed);
    expect(wanted).toHaveLength(FRAMES);
    const images = new Set(wanted.map((line) => line.split(',').at(-1)));
    expect(images.size).toBe(FRAMES);
    expect(readLog(undisturbed)).not.toContain('cannot decode the audio');
    const stretch = { from: 0, to: FRAMES, shows: 'panes', layout: 'speaker', panes: { length: 1 } };
    expect(decisionsIn(undisturbed)).toMatchObject({
      people: { length: 2 },
      shots: [{ stretches: [stretch] }],
    });

    const home = homeWithClip();
    const points = failPointFolder(join(home, 'points'));
    for (const [name, hit] of KILLED_AT) {
      points.arm(`${name} ${hit} kill-group`);
      await start(once(home), points.environment).ended;
      expect(points.hasFired(name), name).toBe(true);
    }
    expect(run(once(home), {}, LIMIT_MS).status).toBe(0);
    expect(resultOf(home)).toEqual(wanted);
    expect(decisionsIn(home)).toEqual(decisionsIn(undisturbed));
  },
);
