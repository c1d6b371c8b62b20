import { setImmediate as nextEvents } from 'node:timers/promises';
import { InternalError } from '../../domain/errors.ts';
import type { FrameFormat, MediaInfo } from '../../domain/media-info.ts';
import type { DualFaceRecipe } from '../../domain/recipe.ts';
import type {
  AnalysedFrames,
  DirectedFrames,
  Frame,
  FramePipeline,
  VideoAnalysis,
} from '../frame-pipeline.ts';
import type { ModelPipelineNeeds } from '../pipeline-needs.ts';
import { analyseFrame } from './analysis/analyse-frames.ts';
import { FIRST_ANALYSIS, readAnalysisState, writeAnalysisState } from './analysis/analysis-state.ts';
import { decodeObservations, encodeObservations, type Observation } from './analysis/observation.ts';
import { Screen } from './composition/screen.ts';
import { decodeViews, encodeViews } from './composition/screen-views.ts';
import { FallbackDetector } from './detection/fallback-detector.ts';
import { decisionsOf } from './direction/decisions.ts';
import { describeDirection } from './direction/describe-direction.ts';
import { directVideo } from './direction/director.ts';
import type { DirectorOptions } from './direction/director-options.ts';
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
}

/**
 * Makes a split screen of a video of two people. The first pass detects and follows the faces of all frames; then the
 * director, a pure function, decides for the whole video what each pane shows; the second pass draws the frames.
 */
export class DualFacePipeline implements FramePipeline, VideoAnalysis {
  readonly reducedTile = null;
  readonly analysis: VideoAnalysis = this;
  summary = '';
  readonly #options: DualFaceOptions;
  #open: OpenPipeline | null = null;

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
      screen: new Screen({ from: input, to: output, pixelAspect: num / den }, recipe),
      // The frame rate in the header of animated images and streams is unreliable; it only sets the speed of the cameras.
      framesPerSecond: Math.min(240, Math.max(1, rate === null ? 25 : rate.num / rate.den)),
      detector: await FallbackDetector.load(this.#options, recipe.device),
      embedder: new OptionalEmbedder(this.#options, recipe.device),
    };
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
      detect: (frame: Frame) => detector.detect(frame, input),
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
    return { findings: encodeObservations(observations), state: writeAnalysisState(state) };
  }

  async direct(
    findings: readonly Uint8Array[],
    batchFrames: readonly number[],
    signal: AbortSignal,
    onShot: () => void,
  ): Promise<DirectedFrames> {
    const { screen, framesPerSecond } = this.#opened();
    const observations = findings.flatMap(decodeObservations);
    const geometryOf: DirectorOptions['geometryOf'] = (layout, panes) => screen.paneGeometry(layout, panes);
    const options = { geometryOf, framesPerSecond, recipe: this.#options.recipe };
    const directed = await directVideo(observations, options, async () => {
      onShot();
      // A request to stop arrives as an event.
      await nextEvents();
      signal.throwIfAborted();
    });
    let from = 0;
    const directions = batchFrames.map((frames) =>
      encodeViews(from, directed.views.slice(from, (from += frames))),
    );
    const decisions = JSON.stringify(decisionsOf(directed, geometryOf), null, 2);
    return { directions, conclusion: describeDirection(directed), decisions };
  }

  async *process(
    frames: AsyncIterable<Frame> | Iterable<Frame>,
    direction: Uint8Array | null,
    signal: AbortSignal,
  ): AsyncIterable<Frame> {
    const { screen } = this.#opened();
    if (direction === null) throw new InternalError('A split screen is drawn without a direction.');
    const views = decodeViews(direction);
    for await (const frame of frames) {
      // A request to stop arrives as an event, and other jobs share this thread.
      await nextEvents();
      signal.throwIfAborted();
      const shown = views.get(frame.number);
      if (shown === undefined) throw new InternalError(`Frame ${frame.number} has no direction.`);
      const drawn = screen.draw(frame, shown);
      yield drawn;
      screen.release(drawn.pixels);
    }
  }

  async close(): Promise<void> {
    const open = this.#open;
    this.#open = null;
    await open?.detector.dispose();
    await open?.embedder.dispose();
  }

  #opened(): OpenPipeline {
    if (this.#open === null) throw new TypeError('The pipeline is not open.');
    return this.#open;
  }
}
