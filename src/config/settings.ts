import { z } from 'zod';
import type { Recipe } from '../domain/recipe.ts';
import { DEFAULT_RECIPE } from './recipe-presets.ts';
import { completeRecipe, PartialRecipe, strangeKeys } from './recipe-schema.ts';

const TIME_OF_DAY = '(?:(?:[01]\\d|2[0-3]):[0-5]\\d|24:00)';
const QuietHours = z
  .string()
  .regex(new RegExp(`^${TIME_OF_DAY}-${TIME_OF_DAY}$`), 'expected a span such as 22:00-07:30')
  .refine((span) => span.slice(0, 5) !== span.slice(6), 'ends when it begins; the whole day is 00:00-24:00');

/** `framekiln.yaml`, grouped by the room that a key speaks to. Every key has a default that is safe everywhere. */
export const SettingsFile = z
  .strictObject({
    intake: z
      .strictObject({
        /** A file is taken when it did not change for so long. */
        settleSeconds: z.number().min(0.2).max(3600).default(5),
        /** The input folder is read whole this often, whatever the watcher said. */
        rescanSeconds: z.number().min(1).max(86_400).default(60),
        /** Ask instead of being told: for network shares, which send no events. */
        polling: z.boolean().default(false),
        /** What happens to a file that is rejected; `quarantine`: it is moved into `quarantine/`. */
        rejected: z.enum(['keep', 'quarantine']).default('keep'),
        /** Recipes of folders below input/, by name. */
        folders: z.record(z.string().min(1), PartialRecipe).default({}),
      })
      .prefault({}),
    /** What is done with a file for which nothing else is said. */
    recipe: PartialRecipe.default({}),
    decoder: z
      .strictObject({
        /** Tried in this order before the CPU. The probe writes what works. */
        hardware: z.array(z.enum(['nvdec', 'vaapi'])).default([]),
      })
      .prefault({}),
    encoder: z
      .strictObject({
        codec: z.enum(['auto', 'h264', 'hevc']).default('auto'),
        nvenc: z.boolean().default(true),
        /** NVENC sessions that may be open at once; the probe counts them. */
        sessions: z.int().min(1).max(64).default(1),
        /** `source`: colour as fine as the source's, which few players show. */
        chroma: z.enum(['4:2:0', 'source']).default('4:2:0'),
        /** A session that is not free within this time is given up for software. */
        waitSeconds: z.number().min(0).max(3600).default(30),
        softwareFallback: z.boolean().default(true),
        lowLatency: z.boolean().default(false),
        /** Constant rate factor: lower is better and larger. */
        crf: z.number().min(0).max(51).default(18),
        preset: z
          .enum([
            'ultrafast',
            'superfast',
            'veryfast',
            'faster',
            'fast',
            'medium',
            'slow',
            'slower',
            'veryslow',
          ])
          .default('medium'),
      })
      .prefault({}),
    streams: z
      .strictObject({
        /** Jobs that are worked on at once. */
        max: z.int().min(1).max(32).default(1),
        /** Images of different jobs that a GPU upscales in one go. */
        batch: z.int().min(1).max(8).default(8),
        waitMs: z.number().min(0).max(6).default(6),
      })
      .prefault({}),
    batch: z
      .strictObject({
        /** Frames of the first batch; the first estimate comes after it. */
        firstFrames: z.int().min(1).max(1000).default(30),
        /** Frames of every other batch: what a power cut costs at most, and how often the output has a keyframe. */
        frames: z.int().min(1).max(1000).default(60),
      })
      .prefault({}),
    workspace: z
      .strictObject({
        kind: z.enum(['auto', 'mount', 'shm', 'folder']).default('auto'),
        /** Share of the free memory that a job's RAM disk may take. */
        memoryFraction: z.number().min(0.05).max(0.9).default(0.5),
        keepJobFolders: z.boolean().default(false),
      })
      .prefault({}),
    output: z
      .strictObject({
        /** What happens when a finished file of that name is there already. */
        existing: z.enum(['replace', 'keep']).default('replace'),
        /** What happens to the source of a finished video; `move`: into `finished/`. */
        source: z.enum(['keep', 'move', 'delete']).default('keep'),
      })
      .prefault({}),
    /** A job that fails so often is set aside. */
    attempts: z.int().min(1).max(20).default(3),
    limits: z
      .strictObject({
        inputMegapixels: z.number().positive().default(36),
        outputMegapixels: z.number().positive().default(134),
        hours: z.number().positive().default(24),
        framesPerSecond: z.number().positive().default(240),
        /** A damaged video is processed when at least this share of it decodes. */
        decodableShare: z.number().min(0).max(1).default(0.5),
      })
      .prefault({}),
    engine: z
      .strictObject({
        /** Threads that a model runs on; 0: as many as there are cores. */
        threads: z.int().min(0).max(256).default(0),
        /** A model that says nothing for so long, and uses no processor, hangs. */
        stallSeconds: z.number().min(1).max(3600).default(60),
      })
      .prefault({}),
    throttling: z
      .strictObject({
        /** Times of the day, in local time, at which nothing is worked on. */
        quietHours: z.array(QuietHours).default([]),
        /** The machine is kept from going to sleep while a job is worked on. */
        inhibitSleep: z.boolean().default(true),
        /** Share of the GPU that another program may take before nothing is worked on, in percent; 0: all of it. */
        gpuBusyPercent: z.int().min(0).max(100).default(30),
        /** Degrees at which nothing is worked on until the GPU has cooled down by ten; 0: whatever it is. */
        gpuHottestCelsius: z.int().min(0).max(120).default(90),
      })
      .prefault({}),
    log: z.strictObject({ level: z.enum(['debug', 'info', 'warn', 'error']).default('info') }).prefault({}),
  })
  .superRefine(({ recipe, intake }, context) => {
    const inherited = recipe.pipeline ?? DEFAULT_RECIPE.pipeline;
    const say = (path: string[], request: PartialRecipe): void => {
      for (const message of strangeKeys(request, inherited))
        context.addIssue({ code: 'custom', path, message });
    };
    say(['recipe'], recipe);
    for (const [name, request] of Object.entries(intake.folders)) say(['intake', 'folders', name], request);
  });

type Parsed = z.infer<typeof SettingsFile>;

/** The settings as the rooms use them: recipes are whole. */
export interface Settings extends Omit<Parsed, 'recipe' | 'intake'> {
  readonly recipe: Recipe;
  readonly intake: Omit<Parsed['intake'], 'folders'> & { readonly folders: Readonly<Record<string, Recipe>> };
}

/** Fills the recipes in. */
export function completeSettings(parsed: Parsed): Settings {
  const recipe = completeRecipe(parsed.recipe, DEFAULT_RECIPE);
  const folders = Object.entries(parsed.intake.folders).map(
    ([name, request]) => [name, completeRecipe(request, recipe)] as const,
  );
  return { ...parsed, recipe, intake: { ...parsed.intake, folders: Object.fromEntries(folders) } };
}

/** What holds where nobody wrote anything. */
export const SAFE_DEFAULTS: Settings = completeSettings(SettingsFile.parse({}));
