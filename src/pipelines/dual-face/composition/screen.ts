import type { FrameFormat } from '../../../domain/media-info.ts';
import type { DualFaceRecipe } from '../../../domain/recipe.ts';
import type { Frame } from '../../frame-pipeline.ts';
import { wideView, type ViewGeometry } from '../camera/view.ts';
import { composePanes, crossFade, type Pane, type Sizes } from './compose-panes.ts';
import type { ScreenViews } from './screen-views.ts';

/** The layout of the output frames; draws the views of a frame into its panes. */
export class Screen {
  readonly #sizes: Sizes;
  readonly #panes: readonly [Pane, Pane];
  readonly #whole: Pane;

  constructor(sizes: Sizes, layout: DualFaceRecipe['layout']) {
    this.#sizes = sizes;
    this.#whole = { x: 0, y: 0, width: sizes.to.width, height: sizes.to.height };
    this.#panes = panesOf(sizes.to, layout);
  }

  /** Geometry of the views of either pane; both panes have the same size. */
  get paneGeometry(): ViewGeometry {
    return this.#geometry(this.#panes[0]);
  }

  async draw({ number, pixels }: Frame, { left, right, whole }: ScreenViews): Promise<Frame> {
    const [leftPane, rightPane] = this.#panes;
    const panes = [
      { pane: leftPane, view: left },
      { pane: rightPane, view: right },
    ];
    const all = [{ pane: this.#whole, view: wideView(this.#geometry(this.#whole)) }];
    const drawn = await composePanes(pixels, this.#sizes, whole === 1 ? all : panes);
    if (whole > 0 && whole < 1) {
      crossFade(drawn, await composePanes(pixels, this.#sizes, all), whole, this.#sizes.to);
    }
    return { number, pixels: drawn };
  }

  #geometry({ width, height }: Pane): ViewGeometry {
    const { from, pixelAspect } = this.#sizes;
    return { width: from.width, height: from.height, aspect: width / height / pixelAspect };
  }
}

function panesOf({ width, height }: FrameFormat, layout: DualFaceRecipe['layout']): [Pane, Pane] {
  if (layout === 'stacked') {
    const half = { x: 0, width, height: height / 2 };
    return [
      { ...half, y: 0 },
      { ...half, y: height / 2 },
    ];
  }
  const half = { y: 0, width: width / 2, height };
  return [
    { ...half, x: 0 },
    { ...half, x: width / 2 },
  ];
}
