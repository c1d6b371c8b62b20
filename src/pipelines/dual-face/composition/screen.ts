import type { DualFaceRecipe, PaneLayout } from '../../../domain/recipe.ts';
import type { Frame } from '../../frame-pipeline.ts';
import { coverView, wideView, type View, type ViewGeometry } from '../camera/view.ts';
import { composePanes, crossFade, type FilledPane, type Pane, type Sizes } from './compose-panes.ts';
import { panePlaces } from './pane-places.ts';
import type { ScreenViews } from './screen-views.ts';

/** The keys of a recipe that say how a screen is divided and filled. */
export type ScreenStyle = Pick<DualFaceRecipe, 'fill' | 'gap' | 'border'> &
  Partial<Pick<DualFaceRecipe, 'missing'>>;

/** The area of the output frames; draws the views of a frame into its panes. */
export class Screen {
  readonly #sizes: Sizes;
  readonly #gap: number;
  readonly #whole: Pane;
  readonly #fill: NonNullable<DualFaceRecipe['fill']>;
  readonly #free: Buffer[] = [];
  /** Whether a pane without a person is black. */
  readonly #isEmptyBlack: boolean;

  constructor(sizes: Sizes, { fill = 'blur', gap = 0, border = 0, missing }: ScreenStyle) {
    const { width, height } = sizes.to;
    this.#sizes = sizes;
    this.#whole = { x: border, y: border, width: width - 2 * border, height: height - 2 * border };
    this.#gap = gap;
    this.#fill = fill;
    this.#isEmptyBlack = fill === 'black' || missing === 'black';
  }

  /** Geometry of the views of the panes, which all have the same size. @param count number of panes */
  paneGeometry(layout: PaneLayout, count: number): ViewGeometry {
    return this.#geometry(panePlaces(this.#whole, layout, count, this.#gap)[0] ?? this.#whole);
  }

  draw({ number, pixels }: Frame, { layout, panes: views, whole }: ScreenViews): Frame {
    const places = panePlaces(this.#whole, layout, views.length, this.#gap);
    const panes = places.map((pane, i) => this.#filled(pane, views[i] ?? null));
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
