import { z } from 'zod';
import { PRECISIONS } from '../domain/job.ts';
import type { Recipe } from '../domain/recipe.ts';
import { Hooks } from './hooks-schema.ts';
import { DEFAULT_RECIPE } from './recipe-presets.ts';
import { completeRecipe, PartialRecipe, unsupportedKeys } from './recipe-schema.ts';
import { Throttling } from './throttling-schema.ts';

/**
 * Schema of `framekiln.yaml`, grouped by what a setting affects. Every default is safe on every machine. Descriptions are
 * shown by `config example` and `config show --why`, with the range that the schema allows.
 */
export const SettingsFile = z
  .strictObject({
    intake: z
      .strictObject({
        settleSeconds: z
          .number()
          .min(0.2)
          .max(3600)
          .default(5)
          .meta({ description: 'a new file is queued once it has not changed for this many seconds' }),
        rescanSeconds: z.number().min(1).max(86_400).default(60).meta({
          description:
            'seconds between full scans of the input folder, which find files whose change events were missed',
        }),
        polling: z.boolean().default(false).meta({
          description:
            'poll the input folder for changes; needed on network shares, which send no change events',
        }),
        rejected: z.enum(['keep', 'quarantine']).default('keep').meta({
          description:
            'what to do with a rejected file; quarantine moves it to quarantine/, with a note that gives the reason, if it has a video extension and was rejected for its content',
        }),
        folders: z
          .record(z.string().min(1), PartialRecipe)
          .default({})
          .meta({ description: 'recipes for folders in input/, by folder name' }),
      })
      .prefault({}),
    recipe: PartialRecipe.default({}),
    decoder: z
      .strictObject({
        hardware: z
          .array(z.enum(['nvdec', 'vaapi']))
          .default([])
          .meta({
            description:
              'hardware decoders to try before the CPU, in this order, such as [nvdec, vaapi]; the probe finds those that work',
          }),
      })
      .prefault({}),
    encoder: z
      .strictObject({
        codec: z.enum(['auto', 'h264', 'hevc']).default('auto').meta({
          description:
            'codec of finished videos; auto uses HEVC for 10-bit sources and, if NVENC supports it, for videos larger than 4096 pixels on either side; otherwise H.264',
        }),
        nvenc: z
          .boolean()
          .default(true)
          .meta({ description: 'encode on an NVIDIA GPU (NVENC) if a trial encode succeeds' }),
        sessions: z.int().min(1).max(64).default(1).meta({
          description: 'maximum number of NVENC sessions open at the same time; the probe measures it',
        }),
        chroma: z.enum(['4:2:0', 'source']).default('4:2:0').meta({
          description:
            'chroma subsampling: 4:2:0 plays everywhere; source keeps 4:2:2 and 4:4:4, which few players support and only the CPU encodes',
        }),
        waitSeconds: z
          .number()
          .min(0)
          .max(3600)
          .default(30)
          .meta({ description: 'seconds to wait for a free NVENC session before encoding on the CPU' }),
        softwareFallback: z.boolean().default(true).meta({
          description:
            'encode on the CPU if NVENC is busy or does not support the video; if false, the job waits',
        }),
        lowLatency: z.boolean().default(false).meta({
          description:
            'use the fastest NVENC settings (p1, ull) instead of slower ones with better quality (p5, hq)',
        }),
        crf: z
          .number()
          .min(0)
          .max(51)
          .default(18)
          .meta({ description: 'constant rate factor; lower values give better quality and larger files' }),
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
          .default('medium')
          .meta({ description: 'preset of libx264 and libx265; slower presets give smaller files' }),
      })
      .prefault({}),
    streams: z
      .strictObject({
        max: z
          .int()
          .min(1)
          .max(32)
          .default(1)
          .meta({ description: 'maximum number of jobs processed at the same time' }),
        batch: z.int().min(1).max(8).default(8).meta({
          description: 'maximum number of images in one GPU inference request, which jobs can share',
        }),
        waitMs: z.number().min(0).max(6).default(6).meta({
          description:
            'maximum milliseconds that an image waits to share an inference request with images of other jobs',
        }),
      })
      .prefault({}),
    batch: z
      .strictObject({
        firstFrames: z.int().min(1).max(1000).default(30).meta({
          description:
            'frames in the first batch, after which the remaining time is known; fewer if memory is short',
        }),
        frames: z
          .union([z.literal('auto'), z.int().min(1).max(1000)])
          .default('auto')
          .meta({
            description:
              'frames in each later batch, fewer if memory is short; auto: 60, or up to 600 small frames with a fast model; a power cut loses only the batches in progress, and each batch begins with a keyframe',
          }),
      })
      .prefault({}),
    workspace: z
      .strictObject({
        kind: z.enum(['auto', 'mount', 'shm', 'folder']).default('auto').meta({
          description:
            'where raw frames are stored: mount is a tmpfs mounted for the job, shm is /dev/shm, folder is a folder on disk; auto tries them in this order',
        }),
        memoryFraction: z.number().min(0.05).max(0.9).default(0.5).meta({
          description: 'fraction of the free memory that the RAM disks of all running jobs may use together',
        }),
        keepJobFolders: z
          .boolean()
          .default(false)
          .meta({ description: 'keep the job folders of finished jobs, with their segments, for debugging' }),
      })
      .prefault({}),
    output: z
      .strictObject({
        existing: z.enum(['keep-both', 'replace', 'keep']).default('keep-both').meta({
          description:
            'what to do if a file already has the name of the finished video: keep-both gives the new video another name, such as clip (2).mp4; replace replaces an older result of the same source and otherwise does the same as keep-both; keep keeps the file and fails the job',
        }),
        container: z.enum(['source', 'mp4', 'mkv', 'webm', 'gif']).default('source').meta({
          description:
            'container of finished videos: source keeps MP4, MOV and MKV, and uses MKV for other containers and for videos with tracks that MP4 or MOV does not support; mp4 converts or drops such tracks, and so does webm, with VP9 instead of encoder.codec; gif has 256 colours, no audio and no subtitles',
        }),
        skipLarger: z.boolean().default(true).meta({
          description:
            'do not process a video that already has at least the target size (size in its recipe); if false, it is processed at its own size',
        }),
        source: z.enum(['keep', 'move', 'delete']).default('keep').meta({
          description: 'what to do with the source of a finished video; move moves it to finished/',
        }),
      })
      .prefault({}),
    attempts: z
      .int()
      .min(1)
      .max(20)
      .default(3)
      .meta({ description: 'a job that fails this many times without progress fails permanently' }),
    limits: z
      .strictObject({
        inputMegapixels: z.number().positive().default(36).meta({
          description: 'maximum frame size of a source in megapixels; videos with larger frames are rejected',
        }),
        outputMegapixels: z.number().positive().default(134).meta({
          description:
            'maximum frame size of an output in megapixels; videos that would exceed it are rejected',
        }),
        hours: z
          .number()
          .positive()
          .default(24)
          .meta({ description: 'maximum duration in hours; longer videos are rejected' }),
        framesPerSecond: z
          .number()
          .positive()
          .default(240)
          .meta({ description: 'maximum frames per second; videos with a higher frame rate are rejected' }),
        decodableShare: z.number().min(0).max(1).default(0.5).meta({
          description:
            'minimum fraction of a damaged video that must be decodable; videos below it are rejected',
        }),
      })
      .prefault({}),
    engine: z
      .strictObject({
        threads: z.int().min(0).max(256).default(0).meta({
          description: 'CPU threads for inference; 0 uses one per core, or what a control group allows',
        }),
        precision: z
          .enum(['auto', ...PRECISIONS])
          .default('auto')
          .meta({
            description:
              'precision of the CPU engine: exact (float32), balanced, fast, or auto, which chooses fast or balanced to suit the model',
          }),
        stallSeconds: z.number().min(1).max(3600).default(60).meta({
          description:
            'the worker is restarted if a model makes no progress and uses almost no CPU time for this many seconds',
        }),
      })
      .prefault({}),
    estimate: z
      .strictObject({
        measure: z.boolean().default(true).meta({
          description:
            'measure once how fast each installed model runs on this machine, which takes a few seconds, so that the first job has an estimate too',
        }),
        warnAfterHours: z.number().min(0).max(10_000).default(12).meta({
          description:
            'a job that is estimated to take more hours than this gets a warning that names faster choices; 0 never warns',
        }),
      })
      .prefault({}),
    cluster: z
      .strictObject({
        database: z.string().default('').meta({
          description:
            'PostgreSQL database that hands the batches of a video out to several machines, such as postgresql://kiln@nas/kiln; if empty, this machine processes them all',
        }),
        store: z.string().default('').meta({
          description:
            'absolute path of a folder that all machines of the cluster share, or s3://BUCKET, for sources and segments',
        }),
      })
      .prefault({}),
    throttling: Throttling,
    hooks: Hooks,
    page: z
      .strictObject({
        enabled: z
          .boolean()
          .default(true)
          .meta({ description: 'serve the web page, where jobs are shown and controlled' }),
        port: z.int().min(1).max(65_535).default(7717).meta({ description: 'TCP port of the page' }),
        host: z.string().min(1).default('127.0.0.1').meta({
          description:
            'address on which the page listens; 0.0.0.0 makes the page reachable from other machines, which then need its token (framekiln page)',
        }),
        names: z.array(z.string().min(1)).default([]).meta({
          description:
            'further host names under which the page may be opened, such as [kiln.example.org] behind a reverse proxy',
        }),
      })
      .prefault({}),
    log: z
      .strictObject({
        level: z
          .enum(['debug', 'info', 'warn', 'error'])
          .default('info')
          .meta({ description: 'minimum level of logged messages' }),
      })
      .prefault({}),
  })
  .superRefine(({ recipe, intake }, context) => {
    const inherited = recipe.pipeline ?? DEFAULT_RECIPE.pipeline;
    const check = (path: string[], request: PartialRecipe): void => {
      for (const message of unsupportedKeys(request, inherited))
        context.addIssue({ code: 'custom', path, message });
    };
    check(['recipe'], recipe);
    for (const [name, request] of Object.entries(intake.folders)) check(['intake', 'folders', name], request);
  });

type Parsed = z.infer<typeof SettingsFile>;

/** Settings as the program uses them, with complete recipes. */
export interface Settings extends Omit<Parsed, 'recipe' | 'intake'> {
  readonly recipe: Recipe;
  readonly intake: Omit<Parsed['intake'], 'folders'> & { readonly folders: Readonly<Record<string, Recipe>> };
}

/** Completes the recipes from their defaults. */
export function completeSettings(parsed: Parsed): Settings {
  const recipe = completeRecipe(parsed.recipe, DEFAULT_RECIPE);
  const folders = Object.entries(parsed.intake.folders).map(
    ([name, request]) => [name, completeRecipe(request, recipe)] as const,
  );
  return { ...parsed, recipe, intake: { ...parsed.intake, folders: Object.fromEntries(folders) } };
}

/** Settings that apply where no level sets a value. */
export const SAFE_DEFAULTS: Settings = completeSettings(SettingsFile.parse({}));
