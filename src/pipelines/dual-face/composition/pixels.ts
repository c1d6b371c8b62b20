import type { Components } from '../../components.ts';

/** An image of packed RGB, of 8 or 16 bits. */
export interface Pixels {
  readonly components: Components;
  readonly width: number;
}
