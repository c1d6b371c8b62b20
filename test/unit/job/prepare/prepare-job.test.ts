import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PIPELINE_DEFAULTS } from '../../../../src/config/recipe-presets.ts';
import { fingerprintOf } from '../../../../src/domain/fingerprint.ts';
import { prepareJob } from '../../../../src/job/prepare/prepare-job.ts';
import { createForwardingLogger } from '../../../../src/observability/forwarding-logger.ts';
import { ffmpeg } from '../../../helpers/clips.ts';
import { talkingModel } from '../../../helpers/lip-sync.ts';
import { blindBlazeFace } from '../../../helpers/tiny-models.ts';
import { jobAtWork } from '../job-fixture.ts';

test('the models of a lip-sync job are looked for and read once, before its video is copied', async () => {
  const { home, context, folder, job } = await jobAtWork({ clip: {} });
  const audio = join(home.input, 'clip.wav');
  ffmpeg('-f', 'lavfi', '-i', 'sine=frequency=300:duration=0.2', audio);
  const model = join(home.models, 'wav2lip.onnx');
  const detector = join(home.models, 'detector.onnx');
  writeFileSync(model, talkingModel());
  writeFileSync(detector, blindBlazeFace());
  const recipe = { ...PIPELINE_DEFAULTS['lip-sync'], audio, detector };
  const spoken = { ...job, recipe, fingerprint: await fingerprintOf(job.sourcePath, recipe) };
  // A second search would not find it.
  const log = createForwardingLogger(({ message }) => {
    if (message.startsWith('laid the speech')) rmSync(model);
  });
  const prepared = await prepareJob({ ...context, log, job: spoken }, folder);
  expect([prepared.model?.path, prepared.detector?.path]).toEqual([model, detector]);

  rmSync(folder.spoken, { recursive: true });
  const missing = prepareJob({ ...context, job: spoken }, folder);
  await expect(missing).rejects.toMatchObject({ code: 'MODEL_MISSING' });
});
