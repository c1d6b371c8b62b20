import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { DualFaceRecipe } from '../../../../src/domain/recipe.ts';
import { findJobModels } from '../../../../src/job/prepare/find-job-models.ts';
import { DETECTOR_FILES, EMBEDDING, hasDetector, hasEmbedder } from '../../../helpers/face-detectors.ts';
import { temporaryFolder } from '../../../helpers/temporary-folder.ts';
import { tinySrvgg } from '../../../helpers/tiny-models.ts';
import { PLAN } from '../../queue/queue-fixture.ts';
import { jobAtWork } from '../job-fixture.ts';

const WITHOUT_ENHANCE: DualFaceRecipe = {
  ...{ pipeline: 'dual-face', model: 'blazeface-full-range', device: 'cpu', width: 64, height: 64 },
  ...{ layout: 'stacked', detectEvery: 1, missing: 'wide' },
};
const RECIPE: DualFaceRecipe = { ...WITHOUT_ENHANCE, enhance: 'off' };

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

test.skipIf(!hasDetector('blazeface-full-range'))(
  'a model that the recipe names for close-ups has to be there, the usual one has not, and `off` means none',
  async () => {
    const folder = join(temporaryFolder(), 'models');
    mkdirSync(folder);
    symlinkSync(DETECTOR_FILES['blazeface-full-range'], join(folder, 'blazeface-full-range.onnx'));
    const { context, job, lines } = await jobAtWork();
    const find = async (enhance: string | undefined, plan: typeof PLAN | null = null) => {
      const recipe = enhance === undefined ? WITHOUT_ENHANCE : { ...WITHOUT_ENHANCE, enhance };
      return (await findJobModels({ ...context, modelFolders: [folder], job: { ...job, recipe, plan } }))
        .enhancer;
    };
    expect(await find('off')).toBeNull();
    const before = lines.length;
    expect(await find(undefined)).toBeNull();
    expect(lines.slice(before).join()).toMatch(/realesr-general-x4v3 is not installed.* without a model/);
    await expect(find('RealESRGAN_x4plus')).rejects.toMatchObject({ code: 'MODEL_MISSING' });
    await expect(find('nothing')).rejects.toMatchObject({ code: 'MODEL_UNKNOWN' });
    const path = join(folder, 'tiny.onnx');
    writeFileSync(path, tinySrvgg());
    const found = await find(path);
    expect(found).toMatchObject({ path });
    // A job of an older version has begun without it.
    expect(await find(path, PLAN)).toBeNull();
    expect(await find(path, { ...PLAN, enhancerSha256: found?.sha256 ?? '' })).toMatchObject({ path });
    await expect(find('auto', { ...PLAN, enhancerSha256: 'ab' })).rejects.toMatchObject({
      code: 'MODEL_MISSING',
    });
  },
);
