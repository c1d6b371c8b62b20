import type { DualFaceRecipe } from '../../../domain/recipe.ts';
import type { Frame } from '../../frame-pipeline.ts';
import { coverView, wideView, type View, type ViewGeometry } from '../camera/view.ts';
import { composePanes, crossFade, type FilledPane } from './compose-panes.ts';
import type { Pane, Sizes } from './pane.ts';
import type { CloseUp } from '../enhancement/close-up.ts';
import type { ScreenViews } from './screen-views.ts';

/** The keys of a recipe that say where things are on the screen. */
export type ScreenLayout = Pick<DualFaceRecipe, 'layout' | 'fill' | 'gap' | 'border'>;

/** A view of the source that a frame shows. */
export interface ShownView {
  /** Number of the place on the screen: 0 and 1 are the panes, 7 is the whole screen. */
  readonly place: number;
  readonly pane: Pane;
  readonly view: View;
}

const WHOLE = 7;

/** The layout of the output frames; draws the views of a frame into its panes. */
export class Screen {
  readonly #sizes: Sizes;
  readonly #panes: readonly [Pane, Pane];
  readonly #whole: Pane;
  readonly #fill: NonNullable<DualFaceRecipe['fill']>;
  readonly #free: Buffer[] = [];

  constructor(sizes: Sizes, layout: ScreenLayout) {
    const { fill = 'blur', border = 0 } = layout;
    const { width, height } = sizes.to;
    this.#sizes = sizes;
    this.#whole = { x: border, y: border, width: width - 2 * border, height: height - 2 * border };
    this.#panes = panesIn(this.#whole, layout);
    this.#fill = fill;
  }

  /** Geometry of the views of either pane; both panes have the same size. */
  get paneGeometry(): ViewGeometry {
    return this.#geometry(this.#panes[0]);
  }

  /** The views that are visible in a frame. */
  shown({ left, right, whole }: ScreenViews): ShownView[] {
    const [leftPane, rightPane] = this.#panes;
    const places: readonly (readonly [number, Pane, View | null, boolean])[] = [
      [0, leftPane, left, whole < 1],
      [1, rightPane, right, whole < 1],
      [WHOLE, this.#whole, this.#wholeView, whole > 0],
    ];
    return places.flatMap(([place, pane, view, isVisible]) =>
      view !== null && isVisible ? [{ place, pane, view }] : [],
    );
  }

  /** @param closeUps upscaled parts of the frame, by the number of the place that shows them */
  draw(
    { number, pixels }: Frame,
    views: ScreenViews,
    closeUps: ReadonlyMap<number, CloseUp> = new Map(),
  ): Frame {
    const { whole } = views;
    const filled = this.shown(views).map((shown) => ({
      ...this.#filled(shown),
      place: shown.place,
      closeUp: closeUps.get(shown.place) ?? null,
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

  get #wholeView(): View {
    const geometry = this.#geometry(this.#whole);
    return this.#fill === 'crop' ? coverView(geometry) : wideView(geometry);
  }

  #filled({ pane, view }: ShownView): FilledPane {
    const geometry = this.#geometry(pane);
    const isBlurred = this.#fill === 'blur' && hasBars(view, geometry);
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
