import { join } from 'node:path';
import { modelFolders } from '../config/home.ts';
import { toError } from '../domain/errors.ts';
import { ExitCode } from '../domain/exit-codes.ts';
import type { UpscaleRecipe } from '../domain/recipe.ts';
import { contentAdvice } from '../inference/models/content-advice.ts';
import { installedUpscalers } from '../inference/models/find-model.ts';
import { readKnownModels } from '../inference/models/known-models.ts';
import { writeContactSheet, type SheetCell } from '../media/still/contact-sheet.ts';
import { eightBits, findDetail } from '../media/still/find-detail.ts';
import { contentOf, countLines } from '../media/still/line-art.ts';
import { writeStill } from '../media/still/still-image.ts';
import { resampleAlpha } from '../pipelines/upscale/resample-alpha.ts';
import type { TakenFrame } from '../trial/take-frame.ts';
import type { Cli } from './cli.ts';
import type { OpenHome } from './open-home.ts';
import { TryClips } from './try-clips.ts';
import { imageName } from './try-folder.ts';
import { sheetLabels, shortName, type TryFrame, type TryOutput, type TryResult } from './try-output.ts';
import { TryRun } from './try-run.ts';
import { TryTimes } from './try-times.ts';

/** Edge of the part of the source in which a detail is looked for. */
const DETAIL_PIXELS = 120;

export interface Comparison {
  readonly place: OpenHome;
  readonly path: string;
  readonly frame: TakenFrame;
  readonly recipes: readonly UpscaleRecipe[];
  readonly folder: string;
  /** Length of the clips; null: no clips. */
  readonly seconds: number | null;
}

/** Writes an image for each recipe and the contact sheet, and prints what it finds. */
export async function compareModels(
  cli: Cli,
  { place, path, frame, recipes, folder, seconds }: Comparison,
  output: TryOutput,
): Promise<void> {
  const run = new TryRun(place);
  const times = new TryTimes(place, frame.media);
  const advice = await adviceFor(place, frame);
  const description = { ...describeFrame(path, frame, recipes), advice };
  output.begin(description);
  const clips = await TryClips.take(
    { place, run, frame, ...{ seconds, folder, detail: description.detail } },
    recipes,
  );
  const cells: SheetCell[] = [];
  for (const recipe of recipes) {
    const { model } = recipe;
    output.starting(model);
    try {
      const source = { media: frame.media, frames: [frame.image.pixels] };
      const { frames, format, summary } = await run.enlarge(recipe, source);
      const [pixels = Buffer.alloc(0)] = frames;
      const image = imageName(shortName(model));
      const upscaled = { ...format, pixels, alpha: resampleAlpha(frame.image, format) };
      await writeStill(join(folder, image), { ...frame.image, format: 'png' }, upscaled);
      const clip = (await clips?.make(recipe, (done, all) => output.progress(model, done, all))) ?? null;
      const result: TryResult = { kind: 'result', model, summary, image, clip, ...(await times.of(recipe)) };
      output.result(result);
      cells.push({ ...sheetLabels(result), format, pixels });
    } catch (error) {
      output.failure({ kind: 'failure', model, message: toError(error).message });
      cli.exitCode = ExitCode.failed;
    }
  }
  const [first, ...others] = cells;
  if (first !== undefined) await writeContactSheet(join(folder, 'sheet.png'), [first, ...others]);
  output.end();
}

/** Whether another model than that of the settings suits the frame better. */
async function adviceFor({ home, settings }: OpenHome, { image, media }: TakenFrame): Promise<string | null> {
  const content = contentOf([countLines(eightBits(image.pixels, image.bitsPerComponent), image)], image);
  const manifest = await readKnownModels();
  const installed = await installedUpscalers(modelFolders(home), manifest);
  const { isStill } = media.video;
  return contentAdvice({ content, isStill, model: settings.recipe.model, installed }, manifest);
}

function describeFrame(
  file: string,
  { media, image, atSeconds }: TakenFrame,
  recipes: readonly UpscaleRecipe[],
): Omit<TryFrame, 'advice'> {
  const { width, height } = image;
  const { isStill, durationSeconds } = media.video;
  const part = { width: Math.min(width, DETAIL_PIXELS), height: Math.min(height, DETAIL_PIXELS) };
  const { left, top } = findDetail(eightBits(image.pixels, image.bitsPerComponent), image, part).extract;
  return {
    ...{ kind: 'frame', file, atSeconds, width, height, scale: recipes[0]?.scale ?? 1 },
    durationSeconds: isStill ? null : (durationSeconds ?? media.durationSeconds),
    models: recipes.map(({ model }) => model),
    detail: { x: (left + part.width / 2) / width, y: (top + part.height / 2) / height },
  };
}
