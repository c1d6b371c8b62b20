import { expect, test } from 'vitest';
import { Screen } from '../../../../../src/pipelines/dual-face/composition/screen.ts';
import type { ScreenViews } from '../../../../../src/pipelines/dual-face/composition/screen-views.ts';
import {
  decodeDirection,
  encodeDirection,
} from '../../../../../src/pipelines/dual-face/enhancement/batch-direction.ts';
import { placesToEnhance } from '../../../../../src/pipelines/dual-face/enhancement/enhanced-places.ts';

const format = { width: 160, height: 90, pixelFormat: 'rgb24' } as const;
const screen = new Screen({ from: format, to: format, pixelAspect: 1 }, {});

const view = (height: number) => ({ centerX: 80, centerY: 45, height });
const panes = (left: number, right: number): ScreenViews => ({
  ...{ layout: 'side-by-side', panes: [view(left), view(right)], whole: 0 },
});

test('a place is enhanced in a whole shot, or not at all', () => {
  // The left pane zooms out in a few frames; the right one is large enough in most.
  const first = [panes(30, 50), panes(30, 70), panes(30, 70), panes(90, 90)];
  const second = [panes(80, 30), panes(80, 30)];
  const shots = [
    { from: 0, to: 4 },
    { from: 4, to: 6 },
  ];
  expect(placesToEnhance([...first, ...second], shots, screen)).toEqual([1, 1, 1, 1, 2, 2]);
});

test('a span of the sidecar file is decided for itself, like a shot', () => {
  const views = [panes(30, 90), panes(30, 90), panes(30, 90), panes(90, 30)];
  const span = { from: 3, to: 4, crops: [] };
  expect(placesToEnhance(views, [{ from: 0, to: 4 }], screen, [span])).toEqual([1, 1, 1, 2]);
});

test('the whole screen is a place of its own, and empty panes are none', () => {
  const small = new Screen({ from: { ...format, width: 80, height: 45 }, to: format, pixelAspect: 1 }, {});
  const alone: ScreenViews = { layout: 'side-by-side', panes: [null, null], whole: 1 };
  const fading: ScreenViews = { ...alone, panes: [{ ...view(20), centerX: 40 }, null], whole: 0.5 };
  expect(placesToEnhance([alone, fading], [{ from: 0, to: 2 }], small)).toEqual([128, 129]);
  expect(placesToEnhance([alone, fading], [{ from: 0, to: 2 }], screen)).toEqual([0, 1]);
});

test('the enhanced places are stored with the views, and need no room where there are none', () => {
  const views = new Uint8Array(new Float64Array([12, 1, 2, 3, 4, 5, 6, 0, 1, 2, 3, 4, 5, 6, 0]).buffer);
  expect(encodeDirection(views, [0, 0])).toBe(views);
  expect(decodeDirection(views)).toEqual({ views, places: [] });
  const encoded = Buffer.from(encodeDirection(views, [0, 129]));
  const decoded = decodeDirection(encoded);
  expect([...decoded.views]).toEqual([...views]);
  expect(decoded.places).toEqual([0, 129]);
});
