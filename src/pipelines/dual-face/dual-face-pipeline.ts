import { setImmediate as nextEvents } from 'node:timers/promises';
import { InternalError } from '../../domain/errors.ts';
import type { FrameFormat, MediaInfo } from '../../domain/media-info.ts';
import { namedEnhancer, type DualFaceRecipe } from '../../domain/recipe.ts';
import type {
  AnalysedFrames,
  DirectedFrames,
  Frame,
  FramePipeline,
  ReducedTile,
  VideoAnalysis,
} from '../frame-pipeline.ts';
import type { ModelPipelineNeeds } from '../pipeline-needs.ts';
import { analyseFrame } from './analysis/analyse-frames.ts';
import { FIRST_ANALYSIS, readAnalysisState, writeAnalysisState } from './analysis/analysis-state.ts';
import { decodeObservations, encodeObservations, type Observation } from './analysis/observation.ts';
import type { Sizes } from './composition/pane.ts';
import { Screen } from './composition/screen.ts';
import { decodeViews, encodeViews, type ScreenViews } from './composition/screen-views.ts';
import { FallbackDetector } from './detection/fallback-detector.ts';
import { decisionsOf, type Decisions } from './direction/decisions.ts';
import { describeDirection } from './direction/describe-direction.ts';
import { directVideo } from './direction/director.ts';
import type { DirectorOptions } from './direction/director-options.ts';
import { speechIn } from './direction/speech.ts';
import { decodeDirection, encodeDirection } from './enhancement/batch-direction.ts';
import { chooseEnhancement, countEnhanced } from './enhancement/choose-enhancement.ts';
import type { EnhancedPlaces } from './enhancement/enhanced-places.ts';
import { OptionalEnhancer } from './enhancement/optional-enhancer.ts';
import { OptionalEmbedder } from './identity/optional-embedder.ts';
import { splitScreenFormats } from './split-screen-formats.ts';

export interface DualFaceOptions extends ModelPipelineNeeds {
  readonly recipe: DualFaceRecipe;
}

interface OpenPipeline {
  readonly input: FrameFormat;
  readonly screen: Screen;
  readonly framesPerSecond: number;
  readonly detector: FallbackDetector;
  readonly embedder: OptionalEmbedder;
  readonly enhancer: OptionalEnhancer;
}

/** Number of frames whose close-ups are upscaled while another one is drawn. */
const FRAMES_AHEAD = 2;

interface BegunFrame {
  readonly frame: Frame;
  readonly shown: ScreenViews;
  readonly closeUps: ReturnType<OptionalEnhancer['closeUps']>;
}

/**
 * Makes a split screen of a video of two people. The first pass detects and follows the faces of all frames; then the
 * director, a pure function, decides for the whole video what each pane shows; the second pass draws the frames.
 */
export class DualFacePipeline implements FramePipeline, VideoAnalysis {
  readonly analysis: VideoAnalysis = this;
  summary = '';
  readonly #options: DualFaceOptions;
  #open: OpenPipeline | null = null;

  constructor(options: DualFaceOptions) {
    this.#options = options;
  }

  get reducedTile(): ReducedTile | null {
    return this.#open?.enhancer.reducedTile ?? null;
  }

  async open(source: MediaInfo): Promise<void> {
    const { recipe } = this.#options;
    const { input, output } = splitScreenFormats(source, recipe);
    const { num, den } = source.video.sampleAspectRatio;
    const rate = source.video.averageFrameRate;
    const sizes: Sizes = { from: input, to: output, pixelAspect: num / den };
    this.#open = {
      input,
      screen: new Screen(sizes, recipe),
      // The frame rate in the header of animated images and streams is unreliable; it only sets the speed of the cameras.
      framesPerSecond: Math.min(240, Math.max(1, rate === null ? 25 : rate.num / rate.den)),
      detector: await FallbackDetector.load(this.#options, recipe.device),
      embedder: new OptionalEmbedder(this.#options, recipe.device),
      enhancer: new OptionalEnhancer(this.#options, recipe, sizes),
    };
    // A model that the recipe names has to work; it is better to know before hours of analysis.
    const { enhancer } = this.#open;
    if (enhancer.isWanted && namedEnhancer(recipe) !== null) await enhancer.open();
    const every = recipe.detectEvery === 1 ? 'every frame' : `every ${recipe.detectEvery} frames`;
    this.summary = `${this.#open.detector.summary}, ${every}`;
  }

  async analyse(
    frames: AsyncIterable<Frame> | Iterable<Frame>,
    stateBefore: Uint8Array | null,
    signal: AbortSignal,
    onFrame: (frameNumber: number) => void,
  ): Promise<AnalysedFrames> {
    const { input, detector, embedder } = this.#opened();
    const tools = {
      format: input,
      detectEvery: this.#options.recipe.detectEvery,
      measuresHeights: true,
      detect: (frame: Frame, format: FrameFormat) => detector.detect(frame, format),
      embed: (frame: Frame, face: Parameters<OptionalEmbedder['embed']>[2]) =>
        embedder.embed(frame, input, face),
    };
    let state = stateBefore === null ? FIRST_ANALYSIS : readAnalysisState(stateBefore);
    const observations: Observation[] = [];
    for await (const frame of frames) {
      signal.throwIfAborted();
      const analysed = await analyseFrame(state, frame, tools);
      state = analysed.state;
      observations.push(analysed.observation);
      onFrame(frame.number);
    }
    return {
      findings: encodeObservations(observations),
      state: writeAnalysisState(state),
      isDegraded: embedder.hasFailed,
    };
  }

  async direct(
    findings: readonly Uint8Array[],
    batchFrames: readonly number[],
    signal: AbortSignal,
    onShot: () => void,
    loudness: Float32Array | null = null,
  ): Promise<DirectedFrames> {
    const { screen, framesPerSecond, enhancer } = this.#opened();
    const { recipe } = this.#options;
    const observations = findings.flatMap(decodeObservations);
    const geometryOf: DirectorOptions['geometryOf'] = (layout, panes) => screen.paneGeometry(layout, panes);
    const speech = loudness === null ? null : speechIn(loudness, framesPerSecond);
    const options = { geometryOf, framesPerSecond, recipe, speech };
    const directed = await directVideo(observations, options, async () => {
      onShot();
      // A request to stop arrives as an event.
      await nextEvents();
      signal.throwIfAborted();
    });
    const enhancement = { recipe, framesPerSecond, screen, enhancer };
    const { places, clause } = await chooseEnhancement(directed, enhancement, signal);
    let from = 0;
    const directions = batchFrames.map((frames) => {
      const [first, to] = [from, (from += frames)];
      return encodeDirection(encodeViews(first, directed.views.slice(first, to)), places.slice(first, to));
    });
    const decisions: Decisions = {
      ...decisionsOf(directed, geometryOf),
      framesEnhanced: countEnhanced(places),
    };
    return {
      directions,
      conclusion: [describeDirection(directed), ...(clause === null ? [] : [clause])].join('; '),
      decisions: JSON.stringify(decisions, null, 2),
    };
  }

  async *process(
    frames: AsyncIterable<Frame> | Iterable<Frame>,
    direction: Uint8Array | null,
    signal: AbortSignal,
  ): AsyncIterable<Frame> {
    if (direction === null) throw new InternalError('A split screen is drawn without a direction.');
    const { views: encoded, places } = decodeDirection(direction);
    const views = decodeViews(encoded);
    const [first = 0] = views.keys();
    const begun: BegunFrame[] = [];
    try {
      for await (const frame of frames) {
        signal.throwIfAborted();
        const shown = views.get(frame.number);
        if (shown === undefined) throw new InternalError(`Frame ${frame.number} has no direction.`);
        begun.push(this.#begin(frame, shown, places[frame.number - first] ?? 0, signal));
        if (begun.length > FRAMES_AHEAD) yield* this.#drawFirst(begun, signal);
      }
      while (begun.length > 0) yield* this.#drawFirst(begun, signal);
    } finally {
      // After an early exit, the model may still be running.
      await Promise.allSettled(begun.map(({ closeUps }) => closeUps));
    }
  }

  #begin(frame: Frame, shown: ScreenViews, places: EnhancedPlaces, signal: AbortSignal): BegunFrame {
    const { screen, enhancer } = this.#opened();
    const closeUps = enhancer.closeUps(frame, screen.shown(shown), places, signal);
    // It is awaited later; an earlier failure must not count as unhandled.
    closeUps.catch(() => undefined);
    return { frame, shown, closeUps };
  }

  async *#drawFirst(begun: BegunFrame[], signal: AbortSignal): AsyncIterable<Frame> {
    const { screen } = this.#opened();
    const [first] = begun;
    if (first === undefined) return;
    const closeUps = await first.closeUps;
    begun.shift();
    // A request to stop arrives as an event, and other jobs share this thread.
    await nextEvents();
    signal.throwIfAborted();
    const drawn = screen.draw(first.frame, first.shown, closeUps);
    yield drawn;
    screen.release(drawn.pixels);
  }

  async close(): Promise<void> {
    const open = this.#open;
    this.#open = null;
    await open?.detector.dispose();
    await open?.embedder.dispose();
    await open?.enhancer.close();
  }

  #opened(): OpenPipeline {
    if (this.#open === null) throw new TypeError('The pipeline is not open.');
    return this.#open;
  }
}
