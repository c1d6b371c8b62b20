import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { makeClip } from '../helpers/clips.ts';
import { makeHome, run } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { tinySrvgg } from '../helpers/tiny-models.ts';

/* A machine without a usable GPU: CUDA_VISIBLE_DEVICES hides one that may be there. */
const NO_GPU = { CUDA_VISIBLE_DEVICES: '' };

let home: string;
let clip: string;
let model: string;
beforeEach(() => {
  home = makeHome(temporaryFolder());
  mkdirSync(join(home, 'elsewhere'));
  clip = makeClip(join(home, 'elsewhere/clip.mp4'), { frames: 3, audio: false });
  model = join(home, 'tiny.onnx');
  writeFileSync(model, tinySrvgg());
});

const runOn = (device: string) => {
  const recipe = ['--model', model, '--scale', '4', '--device', device];
  return run(['run', clip, '--home', home, '--skip-checks', ...recipe], NO_GPU);
};

test('device gpu without a GPU warns with the reason, and uses the CPU', { tags: ['slow'] }, () => {
  const { status, stdout, stderr } = runOn('gpu');
  expect(status, stderr).toBe(0);
  expect(stderr).toMatch(/^models run on the CPU: .+/m);
  expect(stdout).toMatch(/WARN .*no GPU can run the model \(.+\); using the CPU instead/);
});

test('device gpu-only without a GPU fails at once, with a reason that has a name', () => {
  const { status, stderr } = runOn('gpu-only');
  expect(status).toBe(3);
  expect(stderr).toMatch(/^models run on the CPU: .+/m);
  expect(stderr).toMatch(/^GPU_UNAVAILABLE: No GPU can run the model \(.+\)/m);
});
