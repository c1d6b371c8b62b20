import type { DualFaceRecipe } from '../../../domain/recipe.ts';
import type { ViewGeometry } from '../camera/view.ts';

export interface DirectorOptions {
  /** Size of the source and shape of the panes. */
  readonly geometry: ViewGeometry;
  readonly framesPerSecond: number;
  readonly recipe: Pick<DualFaceRecipe, 'layout' | 'single' | 'missing' | 'detectEvery'>;
}
