import { Command } from 'commander';
import type { AddRequest } from '../domain/add-request.ts';
import { ArgumentError, InputRejectedError } from '../domain/errors.ts';
import type { Recipe } from '../domain/recipe.ts';
import { withSpeech } from '../intake/speech-beside.ts';
import type { Cli, GlobalOptions } from './cli.ts';
import { existingFiles } from './existing-file.ts';
import { withFoundModel } from '../inference/models/with-found-model.ts';
import { openHome, withQueue } from './open-home.ts';
import { parseInteger } from './parse-arguments.ts';
import { recipeFromOptions, withRecipeOptions, type RecipeOptions } from './recipe-options.ts';
import { sendCommand } from './send-command.ts';

type AddOptions = GlobalOptions & RecipeOptions & { readonly priority: number };

/** `framekiln add`: adds files from any folder to the queue of the daemon. */
export function addCommand(cli: Cli): Command {
  const command = new Command('add')
    .description('Queue files from any folder')
    .argument('<files...>', 'video or image files')
    .option('--priority <number>', 'jobs with a higher priority run first', parseInteger, 0);
  return withRecipeOptions(command).action(async (files: string[], _, self: Command) => {
    const options = self.optsWithGlobals<AddOptions>();
    const { home, settings } = openHome(cli, options);
    const wanted = recipeFromOptions(options, settings.recipe);
    const paths = await existingFiles(files);
    for (const path of paths) await checkSpeech(wanted, path);
    const recipe = await withFoundModel(wanted, home);
    await withQueue(home, async (queue) => {
      for (const path of paths) {
        const argument: AddRequest = { path, recipe, priority: options.priority };
        await sendCommand(cli, { queue, lockFile: home.lockFile }, { kind: 'add', jobId: null, argument });
      }
    });
  });
}

/** The daemon looks for the speech itself, which may be another file for each video. */
async function checkSpeech(recipe: Recipe, video: string): Promise<void> {
  try {
    await withSpeech(recipe, video);
  } catch (error) {
    if (!(error instanceof InputRejectedError)) throw error;
    throw new ArgumentError(error.code, error.message, { cause: error });
  }
}
