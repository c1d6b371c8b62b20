import type { FrameFormat, MediaInfo } from '../../domain/media-info.ts';
import type { DualFaceRecipe } from '../../domain/recipe.ts';
import { asComponents } from '../components.ts';
import type { Frame, FramePipeline } from '../frame-pipeline.ts';
import type { ModelPipelineNeeds } from '../pipeline-needs.ts';
import { advanceState } from './advance-state.ts';
import { detectCut } from './camera/cut-detector.ts';
import { Screen } from './composition/screen.ts';
import { FallbackDetector } from './detection/fallback-detector.ts';
import { describeDirection } from './direction/director.ts';
import { OptionalEmbedder } from './identity/optional-embedder.ts';
import { withLast } from './key-frames.ts';
import { splitScreenFormats } from './split-screen-formats.ts';
import { FIRST_STATE, type DualFaceState } from './state.ts';
import { readState, writeState } from './stored-state.ts';

export interface DualFaceOptions extends ModelPipelineNeeds {
  readonly recipe: DualFaceRecipe;
}

interface OpenPipeline {
  readonly input: FrameFormat;
  readonly screen: Screen;
  readonly framesPerSecond: number;
  readonly detector: FallbackDetector;
  readonly embedder: OptionalEmbedder;
}

/** Maximum number of frames that are drawn at once. */
const CONCURRENT_DRAWS = 2;

/**
 * Makes a split screen of a video of two people: it detects and tracks faces, identifies people, decides what each pane
 * shows, and draws. All steps between detection and drawing are pure functions of the state in the checkpoint.
 */
export class DualFacePipeline implements FramePipeline {
  readonly reducedTile = null;
  summary = '';
  readonly #options: DualFaceOptions;
  #open: OpenPipeline | null = null;
  #state: DualFaceState = FIRST_STATE;

  constructor(options: DualFaceOptions) {
    this.#options = options;
  }

  async open(source: MediaInfo): Promise<void> {
    const { recipe } = this.#options;
    const { input, output } = splitScreenFormats(source, recipe);
    const { num, den } = source.video.sampleAspectRatio;
    const rate = source.video.averageFrameRate;
    this.#open = {
      input,
      screen: new Screen({ from: input, to: output, pixelAspect: num / den }, recipe.layout),
      // The frame rate in the header of animated images and streams is unreliable; it only sets the speed of the cameras.
      framesPerSecond: Math.min(240, Math.max(1, rate === null ? 25 : rate.num / rate.den)),
      detector: await FallbackDetector.load(this.#options, recipe.device),
      embedder: new OptionalEmbedder(this.#options, recipe.device),
    };
    const every = recipe.detectEvery === 1 ? 'every frame' : `every ${recipe.detectEvery} frames`;
    this.summary = `${this.#open.detector.summary}, ${every}`;
  }

  async *process(
    frames: AsyncIterable<Frame> | Iterable<Frame>,
    state: Uint8Array | null,
    signal: AbortSignal,
  ): AsyncIterable<Frame> {
    const open = this.#open;
    if (open === null) throw new TypeError('The pipeline is not open.');
    this.#state = state === null ? FIRST_STATE : readState(state);
    const { detectEvery } = this.#options.recipe;
    const waiting: Frame[] = [];
    const drawing: Promise<Frame>[] = [];
    try {
      for await (const { item: frame, isLast } of withLast(frames)) {
        signal.throwIfAborted();
        const isNewShot = this.#startsShot(frame, open);
        waiting.push(frame);
        if (!isNewShot && !isLast && frame.number % detectEvery !== 0) continue;
        for (const drawn of await this.#advance(open, waiting.splice(0), isNewShot)) {
          drawing.push(drawn);
          while (drawing.length > CONCURRENT_DRAWS) yield await takeFirst(drawing);
        }
      }
      while (drawing.length > 0) yield await takeFirst(drawing);
    } finally {
      // After an early exit, pending draws still read their frames.
      await Promise.allSettled(drawing);
    }
  }

  snapshot(): Uint8Array {
    return writeState(this.#state);
  }

  conclusion(): string {
    const { direction, identity, frames } = this.#state;
    const { comparisons, enrolments, corrections, framesWithEmbeddings } = identity.counts;
    const share = ((100 * framesWithEmbeddings) / Math.max(1, frames)).toFixed(1);
    return (
      `${describeDirection(direction)}; face embeddings computed in ${share} % of frames ` +
      `(enrolments: ${enrolments}, comparisons: ${comparisons}, corrections: ${corrections})`
    );
  }

  async close(): Promise<void> {
    const open = this.#open;
    this.#open = null;
    await open?.detector.dispose();
    await open?.embedder.dispose();
  }

  #startsShot(frame: Frame, { input }: OpenPipeline): boolean {
    const before = this.#state.cut;
    const { isCut, state } = detectCut(before, asComponents(frame.pixels, input), input);
    this.#state = { ...this.#state, cut: state };
    return isCut || before === null;
  }

  /** Detects faces in the last of the frames and advances the state to it; returns the frames, still being drawn. */
  async #advance(
    { input, screen, framesPerSecond, detector, embedder }: OpenPipeline,
    frames: readonly Frame[],
    isNewShot: boolean,
  ): Promise<Promise<Frame>[]> {
    const last = frames.at(-1);
    if (last === undefined) return [];
    const { state, views } = await advanceState(
      this.#state,
      {
        frameCount: frames.length,
        faces: await detector.detect(last, input),
        isNewShot,
        embed: (face) => embedder.embed(last, input, face),
      },
      { geometry: screen.paneGeometry, framesPerSecond, recipe: this.#options.recipe },
    );
    this.#state = state;
    return views.flatMap((each, i) => {
      const frame = frames[i];
      return frame === undefined ? [] : [screen.draw(frame, each)];
    });
  }
}

async function takeFirst(drawing: Promise<Frame>[]): Promise<Frame> {
  const [first] = drawing;
  if (first === undefined) throw new TypeError('No frame is being drawn.');
  const frame = await first;
  void drawing.shift();
  return frame;
}
