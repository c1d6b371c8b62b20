import type { DualFaceRecipe } from '../../../domain/recipe.ts';
import type { Frame } from '../../frame-pipeline.ts';
import { coverView, wideView, type View, type ViewGeometry } from '../camera/view.ts';
import { composePanes, crossFade, type FilledPane, type Pane, type Sizes } from './compose-panes.ts';
import type { ScreenViews } from './screen-views.ts';

/** The keys of a recipe that say where things are on the screen, and what is around them. */
export type ScreenLayout = Pick<DualFaceRecipe, 'layout' | 'fill' | 'gap' | 'border'> &
  Partial<Pick<DualFaceRecipe, 'missing'>>;

/** The layout of the output frames; draws the views of a frame into its panes. */
export class Screen {
  readonly #sizes: Sizes;
  readonly #panes: readonly [Pane, Pane];
  readonly #whole: Pane;
  readonly #fill: NonNullable<DualFaceRecipe['fill']>;
  readonly #free: Buffer[] = [];
  /** Whether a pane without a person is black. */
  readonly #isEmptyBlack: boolean;

  constructor(sizes: Sizes, layout: ScreenLayout) {
    const { fill = 'blur', border = 0 } = layout;
    const { width, height } = sizes.to;
    this.#sizes = sizes;
    this.#whole = { x: border, y: border, width: width - 2 * border, height: height - 2 * border };
    this.#panes = panesIn(this.#whole, layout);
    this.#fill = fill;
    this.#isEmptyBlack = fill === 'black' || layout.missing === 'black';
  }

  /** Geometry of the views of either pane; both panes have the same size. */
  get paneGeometry(): ViewGeometry {
    return this.#geometry(this.#panes[0]);
  }

  draw({ number, pixels }: Frame, { left, right, whole }: ScreenViews): Frame {
    const [leftPane, rightPane] = this.#panes;
    const panes = [this.#filled(leftPane, left), this.#filled(rightPane, right)];
    const geometry = this.#geometry(this.#whole);
    const all = [this.#filled(this.#whole, this.#fill === 'crop' ? coverView(geometry) : wideView(geometry))];
    const drawn = composePanes(pixels, this.#sizes, whole === 1 ? all : panes, this.#free.pop());
    if (whole > 0 && whole < 1) {
      const over = composePanes(pixels, this.#sizes, all, this.#free.pop());
      crossFade(drawn, over, whole, this.#sizes.to);
      this.release(over);
    }
    return { number, pixels: drawn };
  }

  /** Takes back the bytes of a drawn frame for another one, because new ones would take a tenth of the time. */
  release(pixels: Buffer): void {
    this.#free.push(pixels);
  }

  #filled(pane: Pane, view: View | null): FilledPane {
    const geometry = this.#geometry(pane);
    const isBlurred = view === null ? !this.#isEmptyBlack : this.#fill === 'blur' && hasBars(view, geometry);
    return { pane, view, background: isBlurred ? coverView(geometry) : null };
  }

  #geometry({ width, height }: Pane): ViewGeometry {
    const { from, pixelAspect } = this.#sizes;
    return { width: from.width, height: from.height, aspect: width / height / pixelAspect };
  }
}

/** Whether a view extends beyond the image by more than rounding. */
function hasBars({ height }: View, geometry: ViewGeometry): boolean {
  return height > coverView(geometry).height * 1.001;
}

function panesIn({ x, y, width, height }: Pane, { layout, gap = 0 }: ScreenLayout): [Pane, Pane] {
  if (layout === 'stacked') {
    const half = { x, width, height: (height - gap) / 2 };
    return [
      { ...half, y },
      { ...half, y: y + half.height + gap },
    ];
  }
  const half = { y, width: (width - gap) / 2, height };
  return [
    { ...half, x },
    { ...half, x: x + half.width + gap },
  ];
}
