import type { DualFaceRecipe, PaneLayout } from '../../../domain/recipe.ts';
import type { ViewGeometry } from '../camera/view.ts';

export interface DirectorOptions {
  /** Size of the source, and shape of the panes of a layout with a number of panes. */
  readonly geometryOf: (layout: PaneLayout, panes: number) => ViewGeometry;
  readonly framesPerSecond: number;
  /** How certain it is that somebody speaks in each frame, 0 to 1 (`speechIn`); null or absent: there is no audio. */
  readonly speech?: Float32Array | null;
  readonly recipe: Pick<DualFaceRecipe, 'layout' | 'single' | 'missing' | 'detectEvery' | 'people' | 'spans'>;
}
