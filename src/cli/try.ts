import { Command } from 'commander';
import { PIPELINE_DEFAULTS } from '../config/recipe-presets.ts';
import type { Recipe, UpscaleRecipe } from '../domain/recipe.ts';
import { fitToSource } from '../domain/target-size.ts';
import { modelFolders } from '../config/home.ts';
import { installedUpscalers } from '../inference/models/find-model.ts';
import { readKnownModels } from '../inference/models/known-models.ts';
import type { Cli, GlobalOptions } from './cli.ts';
import { existingFile } from './existing-file.ts';
import { withFoundModel } from '../inference/models/with-found-model.ts';
import { makeHome, openHome, type OpenHome } from './open-home.ts';
import { numberOrText, parseClipSeconds, parseList, parseTime } from './parse-arguments.ts';
import { probeMachine } from './probe-machine.ts';
import { recipeFromOptions } from './recipe-options.ts';
import { makeTryFolder } from './try-folder.ts';
import { TryOutput } from './try-output.ts';

interface TryOptions extends GlobalOptions {
  readonly at?: number;
  readonly models?: readonly string[];
  readonly seconds?: number;
  readonly scale?: unknown;
  readonly device?: string;
  readonly out?: string;
  readonly json?: true;
}

/** `framekiln try`: one frame, or some seconds, through several models, with the time that each needs for the whole file. */
export function tryCommand(cli: Cli): Command {
  return new Command('try')
    .description('Upscale one frame with several models, to compare how they look and how long they take')
    .argument('<file>', 'video or still image; it is not queued')
    .option(
      '--at <time>',
      'time of the frame, such as 83, 1:23 or 1:02:03.5 (default: the middle)',
      parseTime,
    )
    .option('--models <names>', 'models, separated by commas (default: all installed)', parseList)
    .option(
      '--seconds <number>',
      'for each model, also make a clip of this length (up to 10 s), with the part with the most detail beside the source',
      parseClipSeconds,
    )
    .option('--scale <factor>', 'scale factor, 1 to 4', numberOrText)
    .option('--device <device>', 'auto, gpu, gpu-only or cpu')
    .option('--out <folder>', 'new or empty folder for the images (default: try-NAME in the current folder)')
    .option('--json', 'print one JSON object per line: the frame, then each result as soon as it is ready')
    .addHelpText(
      'after',
      '\nExamples:\n  framekiln try film.mkv --at 12:30\n  framekiln try film.mkv --at 12:30 --seconds 3 --models realesr-general-x4v3\n  framekiln try photo.jpg --models realesr-general-x4v3,lanczos --scale 4',
    )
    .action(async (file: string, _, self: Command) => {
      const options = self.optsWithGlobals<TryOptions>();
      await probeMachine(makeHome(options), (sentence) => cli.complain(sentence));
      const place = openHome(cli, options);
      const base = baseRecipe(options, place.settings.recipe);
      const path = await existingFile(file);

      // Loaded only now, because the engines and sharp take longer than most commands.
      const { takeFrame } = await import('../trial/take-frame.ts');
      const { compareModels } = await import('./compare-models.ts');
      const { signal } = new AbortController();
      const frame = await takeFrame(path, options.at ?? null, base, place.settings.limits, signal);
      const fitted = fitToSource(base, frame.image);
      const upscale = fitted.pipeline === 'upscale' ? fitted : base;
      const recipes = await chooseRecipes(upscale, options.models ?? null, place);
      const folder = await makeTryFolder(path, options.out ?? null);
      await compareModels(
        cli,
        { place, path, frame, recipes, folder, seconds: options.seconds ?? null },
        new TryOutput(cli, folder, options.json === true),
      );
    });
}

/** The recipe of the settings with the options, or the default recipe if the settings make split screens. */
function baseRecipe({ scale, device }: TryOptions, ofSettings: Recipe): UpscaleRecipe {
  const defaults = ofSettings.pipeline === 'upscale' ? ofSettings : PIPELINE_DEFAULTS.upscale;
  const recipe = recipeFromOptions(
    { ...(scale === undefined ? {} : { scale }), ...(device === undefined ? {} : { device }) },
    defaults,
  );
  return recipe.pipeline === 'upscale' ? recipe : defaults;
}

/** The recipes to compare, plain resampling first. @throws ModelError if a model is unknown, missing or unsuitable */
async function chooseRecipes(
  base: UpscaleRecipe,
  wanted: readonly string[] | null,
  { home }: OpenHome,
): Promise<UpscaleRecipe[]> {
  const installed = await installedUpscalers(modelFolders(home), await readKnownModels());
  const models = new Set(['lanczos', ...(wanted ?? installed)]);
  const recipes: UpscaleRecipe[] = [];
  for (const model of models) {
    const recipe = await withFoundModel({ ...base, model }, home);
    if (recipe.pipeline === 'upscale') recipes.push(recipe);
  }
  return recipes;
}
