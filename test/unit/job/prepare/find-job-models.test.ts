import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { DualFaceRecipe } from '../../../../src/domain/recipe.ts';
import { findJobModels } from '../../../../src/job/prepare/find-job-models.ts';
import { DETECTOR_FILES, EMBEDDING, hasDetector, hasEmbedder } from '../../../helpers/face-detectors.ts';
import { temporaryFolder } from '../../../helpers/temporary-folder.ts';
import { PLAN } from '../../queue/queue-fixture.ts';
import { jobAtWork } from '../job-fixture.ts';

const RECIPE: DualFaceRecipe = {
  ...{ pipeline: 'dual-face', model: 'blazeface-full-range', device: 'cpu', width: 64, height: 64 },
  ...{ layout: 'stacked', detectEvery: 1, missing: 'wide' },
};

test.skipIf(!hasDetector('blazeface-full-range') || !hasEmbedder())(
  'a job that started without the face recognition model continues without it once it is installed',
  async () => {
    const folder = join(temporaryFolder(), 'models');
    mkdirSync(folder);
    symlinkSync(DETECTOR_FILES['blazeface-full-range'], join(folder, 'blazeface-full-range.onnx'));
    const { context, job, lines } = await jobAtWork();
    const find = (embeddingSha256: string | null | undefined) => {
      const plan = embeddingSha256 === undefined ? null : { ...PLAN, embeddingSha256 };
      return findJobModels({ ...context, modelFolders: [folder], job: { ...job, recipe: RECIPE, plan } });
    };
    expect((await find(undefined)).embedding).toBeNull();
    expect(lines.at(-1)).toMatch(/ This job identifies people by position and size only$/);
    await expect(find('fa')).rejects.toMatchObject({ code: 'MODEL_MISSING' });
    symlinkSync(EMBEDDING, join(folder, 'face-recognition.onnx'));
    expect((await find(undefined)).embedding).toMatchObject({ name: 'face-recognition' });
    expect((await find(null)).embedding).toBeNull();
  },
);
