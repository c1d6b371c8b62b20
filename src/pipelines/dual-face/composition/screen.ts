import type { DualFaceRecipe, PaneLayout } from '../../../domain/recipe.ts';
import type { Frame } from '../../frame-pipeline.ts';
import { coverView, wideView, type View, type ViewGeometry } from '../camera/view.ts';
import { composePanes, crossFade, type FilledPane } from './compose-panes.ts';
import type { Pane, Sizes } from './pane.ts';
import { panePlaces } from './pane-places.ts';
import type { CloseUp } from '../enhancement/close-up.ts';
import type { ScreenViews } from './screen-views.ts';

/** The keys of a recipe that say how a screen is divided and filled. */
export type ScreenStyle = Pick<DualFaceRecipe, 'fill' | 'gap' | 'border'> &
  Partial<Pick<DualFaceRecipe, 'missing'>>;

/** A view of the source that a frame shows. */
export interface ShownView {
  /** Number of the place on the screen: 0 to 3 are the panes, 7 is the whole screen. */
  readonly place: number;
  readonly pane: Pane;
  readonly view: View;
}

/** A place on the screen; null: it is empty. */
type Place = Omit<ShownView, 'view'> & { readonly view: View | null };

const WHOLE = 7;

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

  /** The views that are visible in a frame. */
  shown(views: ScreenViews): ShownView[] {
    return this.#places(views).flatMap(({ view, ...place }) => (view === null ? [] : [{ ...place, view }]));
  }

  /** @param closeUps upscaled parts of the frame, by the number of the place that shows them */
  draw(
    { number, pixels }: Frame,
    views: ScreenViews,
    closeUps: ReadonlyMap<number, CloseUp> = new Map(),
  ): Frame {
    const { whole } = views;
    const filled = this.#places(views).map((each) => ({
      ...this.#filled(each),
      place: each.place,
      closeUp: closeUps.get(each.place) ?? null,
    }));
    const all = filled.filter(({ place }) => place === WHOLE);
    const panes = filled.filter(({ place }) => place !== WHOLE);
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

  /** The places that are visible in a frame. */
  #places({ layout, panes, whole }: ScreenViews): Place[] {
    const places: Place[] = panePlaces(this.#whole, layout, panes.length, this.#gap).map((pane, place) => ({
      ...{ place, pane, view: panes[place] ?? null },
    }));
    const all: Place = { place: WHOLE, pane: this.#whole, view: this.#wholeView };
    return [...(whole < 1 ? places : []), ...(whole > 0 ? [all] : [])];
  }

  get #wholeView(): View {
    const geometry = this.#geometry(this.#whole);
    return this.#fill === 'crop' ? coverView(geometry) : wideView(geometry);
  }

  #filled({ pane, view }: Place): FilledPane {
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
function hasBars({ centerX, centerY, height }: View, { width, height: all, aspect }: ViewGeometry): boolean {
  const isBeyond = (center: number, shown: number, length: number): boolean =>
    Math.max(shown / 2 - center, center + shown / 2 - length) > shown * 0.001;
  return isBeyond(centerX, height * aspect, width) || isBeyond(centerY, height, all);
}
