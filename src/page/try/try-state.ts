import { z } from 'zod';

const Frame = z.object({
  kind: z.literal('frame'),
  file: z.string(),
  atSeconds: z.number().nullable().meta({ description: 'time of the frame; null for a still image' }),
  durationSeconds: z.number().nullable(),
  width: z.int(),
  height: z.int(),
  scale: z.number(),
  models: z.array(z.string()).meta({ description: 'all models of this run, in the order in which they run' }),
  detail: z
    .object({ x: z.number(), y: z.number() })
    .meta({ description: 'centre of the part with the most edges, as shares of the width and height' }),
  advice: z.string().nullable().meta({
    description: 'which model may suit the file better, as the rest of a sentence; null if none does',
  }),
});

const Result = z.object({
  kind: z.literal('result'),
  model: z.string(),
  summary: z.string().meta({ description: 'which engine ran the model' }),
  image: z.string().meta({ description: 'name of the image, for /api/try/:run/images/:name' }),
  clip: z
    .string()
    .nullable()
    .meta({ description: 'name of the clip beside the source, for /api/try/:run/clips/:name' }),
  framesPerSecond: z.number().nullable(),
  seconds: z.number().nullable().meta({ description: 'estimate for the whole file' }),
});

const Failure = z.object({ kind: z.literal('failure'), model: z.string(), message: z.string() });

/** A line of `framekiln try --json`. */
export const TryLine = z.discriminatedUnion('kind', [Frame, Result, Failure]);
export type TryLine = z.infer<typeof TryLine>;

/** The last comparison of models on a frame. */
export const TryState = z.object({
  run: z.int().meta({ description: 'when the run was started, in milliseconds; its name in addresses' }),
  state: z.enum(['none', 'running', 'done', 'failed', 'cancelled']),
  file: z.string().nullable().meta({ description: 'absolute path' }),
  frame: Frame.nullable().meta({ description: 'null until the frame is decoded' }),
  results: z.array(Result),
  failures: z.array(Failure),
  error: z.string().nullable().meta({ description: 'why the run as a whole failed' }),
});
export type TryState = z.infer<typeof TryState>;

export const NO_TRY: TryState = {
  ...{ run: 0, state: 'none', file: null, frame: null, results: [], failures: [], error: null },
};

/** The state after a line of the program. */
export function afterLine(state: TryState, line: TryLine): TryState {
  switch (line.kind) {
    case 'frame':
      return { ...state, frame: line };
    case 'result':
      return { ...state, results: [...state.results, line] };
    case 'failure':
      return { ...state, failures: [...state.failures, line] };
  }
}
