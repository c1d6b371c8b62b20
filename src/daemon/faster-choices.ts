import type { Settings } from '../config/settings.ts';
import type { Job } from '../domain/job.ts';
import type { Recipe, UpscaleRecipe } from '../domain/recipe.ts';
import { formatDuration } from '../observability/format-progress.ts';
import type { Estimator } from './estimator.ts';
import type { SpeedMeter } from './speed-meter.ts';

/** A choice must save this share of the time to be worth mentioning. */
const LEAST_SAVING = 0.1;

export interface ChoiceSources {
  readonly estimator: Pick<Estimator, 'estimate'>;
  readonly speedMeter: Pick<SpeedMeter, 'installed' | 'ready'>;
  readonly settings: () => Pick<Settings, 'engine'>;
}

/**
 * What would make a job faster on this machine, each with its estimate: a smaller scale, an installed model, a lower precision.
 *
 * @param seconds the estimate of the job as it is
 */
export async function fasterChoices(
  { recipe, video }: Pick<Job, 'recipe' | 'video'>,
  seconds: number,
  { estimator, speedMeter, settings }: ChoiceSources,
): Promise<string[]> {
  if (recipe.pipeline !== 'upscale') return [];
  const choices: { text: string; seconds: number }[] = [];
  const consider = async (text: string, other: Recipe, engine = settings().engine): Promise<void> => {
    await speedMeter.ready(other, engine);
    const estimate = await estimator.estimate({ recipe: other, video }, engine);
    const needs = estimate?.seconds ?? Infinity;
    if (needs <= seconds * (1 - LEAST_SAVING)) choices.push({ text, seconds: needs });
  };
  for (const model of [...(await speedMeter.installed()), 'lanczos'])
    if (model !== recipe.model) await consider(`model ${model}`, { ...recipe, model });
  for (const scale of smallerScales(recipe)) await consider(`scale ${scale}`, { ...recipe, scale });
  const { engine } = settings();
  if (recipe.model !== 'lanczos' && engine.precision !== 'fast')
    await consider('engine.precision fast', recipe, { ...engine, precision: 'fast' });
  return choices
    .sort((a, b) => a.seconds - b.seconds)
    .map((choice) => `${choice.text} (about ${formatDuration(choice.seconds * 1000)})`);
}

function smallerScales({ scale }: UpscaleRecipe): number[] {
  return [2, 3].filter((each) => each < scale);
}
