import htm from './htm.js';
import { h } from './preact.js';

/** Templates of elements. */
export const html = htm.bind(h);
