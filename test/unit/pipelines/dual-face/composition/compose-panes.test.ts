import { expect, test } from 'vitest';
import { composePanes, crossFade } from '../../../../../src/pipelines/dual-face/composition/compose-panes.ts';
import { Screen } from '../../../../../src/pipelines/dual-face/composition/screen.ts';

const from = { width: 80, height: 40, pixelFormat: 'rgb24' } as const;
const to = { width: 40, height: 40, pixelFormat: 'rgb24' } as const;
const sizes = { from, to, pixelAspect: 1 };

/** Red grows from left to right, green from top to bottom. */
const ramp = Buffer.alloc(80 * 40 * 3);
for (let i = 0; i < 80 * 40; i++) ramp.set([(i % 80) * 3, Math.floor(i / 80) * 6, 99], i * 3);

function pixel(frame: Buffer, x: number, y: number, width = 40): number[] {
  return [...frame.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)];
}

test('a view at the same scale is a copy of the source', () => {
  const view = { centerX: 30, centerY: 20, height: 40 };
  const frame = composePanes(ramp, sizes, [{ pane: { x: 0, y: 0, width: 40, height: 40 }, view }]);
  expect(pixel(frame, 0, 0)).toEqual([30, 0, 99]);
  expect(pixel(frame, 39, 39)).toEqual([147, 234, 99]);
});

test('an upscaled view appears in its pane only', () => {
  const pane = { x: 20, y: 0, width: 20, height: 40 };
  const frame = composePanes(ramp, sizes, [{ pane, view: { centerX: 60, centerY: 10, height: 10 } }]);
  expect(pixel(frame, 19, 20)).toEqual([0, 0, 0]);
  const [red, green] = pixel(frame, 30, 20);
  expect(Math.abs((red ?? 0) - 180)).toBeLessThanOrEqual(3);
  expect(Math.abs((green ?? 0) - 60)).toBeLessThanOrEqual(3);
  for (const x of [20, 39]) for (const y of [0, 39]) expect(pixel(frame, x, y)[2]).toBe(99);
});

test.each([4, 3, 2.5, 1])('a dot stays in its place at scale %d', (scale) => {
  const edge = 80;
  const dot = { width: edge, height: edge, pixelFormat: 'rgb24' } as const;
  const pixels = Buffer.alloc(edge * edge * 3);
  pixels.fill(200, (50 * edge + 20) * 3, (50 * edge + 21) * 3);
  const format = { ...dot, width: edge * scale, height: edge * scale };
  const pane = { x: 0, y: 0, width: format.width, height: format.height };
  const view = { centerX: edge / 2, centerY: edge / 2, height: edge };
  const frame = composePanes(pixels, { from: dot, to: format, pixelAspect: 1 }, [{ pane, view }]);
  const sums = [0, 0, 0];
  for (let i = 0; i < format.width * format.height; i++) {
    const value = frame[3 * i] ?? 0;
    const at = [(i % format.width) + 0.5, Math.floor(i / format.width) + 0.5, 1];
    for (const [axis, position] of at.entries()) sums[axis] = (sums[axis] ?? 0) + value * position;
  }
  const [x = 0, y = 0, sum = 0] = sums;
  expect(x / sum / scale).toBeCloseTo(20.5, 2);
  expect(y / sum / scale).toBeCloseTo(50.5, 2);
});

test('a frame that is drawn over another one shows nothing of it', () => {
  const pane = { x: 0, y: 0, width: 20, height: 40 };
  const view = { centerX: 40, centerY: 20, height: 80 };
  const panes = [
    { pane, view },
    { pane: { ...pane, x: 20 }, view: null },
  ];
  const fresh = composePanes(ramp, sizes, panes);
  expect(composePanes(ramp, sizes, panes, Buffer.alloc(fresh.length, 77))).toEqual(fresh);
});

test('areas beyond the image are black', () => {
  const pane = { x: 0, y: 0, width: 40, height: 40 };
  const frame = composePanes(ramp, sizes, [{ pane, view: { centerX: 40, centerY: 20, height: 80 } }]);
  expect(pixel(frame, 20, 5)).toEqual([0, 0, 0]);
  expect(pixel(frame, 20, 35)).toEqual([0, 0, 0]);
  expect(pixel(frame, 0, 20)[2]).toBe(99);
  expect(pixel(frame, 39, 20)[2]).toBe(99);
});

test('no view leaves a gap at the edge of its pane, at any position', () => {
  const pane = { x: 0, y: 0, width: 40, height: 40 };
  for (let i = 0; i < 60; i++) {
    const height = 9 + i * 0.37;
    const centerX = height / 2 + (80 - height) * ((i * 0.137) % 1);
    const centerY = height / 2 + (40 - height) * ((i * 0.291) % 1);
    const frame = composePanes(ramp, sizes, [{ pane, view: { centerX, centerY, height } }]);
    for (let j = 0; j < 40; j++) {
      for (const [x, y] of [
        [0, j],
        [39, j],
        [j, 0],
        [j, 39],
      ] as const)
        expect(pixel(frame, x, y)[2]).toBe(99);
    }
  }
});

test('16-bit frames keep their depth', () => {
  const deep = Buffer.from(
    Uint16Array.from({ length: 80 * 40 * 3 }, (_, i) => 1000 + Math.floor(i / 3) * 7).buffer,
  );
  const formats = {
    from: { ...from, pixelFormat: 'rgb48le' },
    to: { ...to, pixelFormat: 'rgb48le' },
    pixelAspect: 1,
  } as const;
  const view = { centerX: 30, centerY: 20, height: 40 };
  const frame = composePanes(deep, formats, [{ pane: { x: 0, y: 0, width: 40, height: 40 }, view }]);
  expect(frame.readUInt16LE(0)).toBe(1070);
  expect(frame.readUInt16LE((39 * 40 + 39) * 6)).toBe(1000 + (39 * 80 + 49) * 7);
});

test('a cross-fade at one half is the mean of both images', () => {
  const [a, b] = [Buffer.alloc(12, 10), Buffer.alloc(12, 110)];
  crossFade(a, b, 0.5, to);
  expect([...a]).toEqual(Array(12).fill(60));
});

test.each(['side-by-side', 'stacked'] as const)('%s: both panes and the whole image are drawn', (layout) => {
  const screen = new Screen(sizes, { fill: 'black' });
  expect(screen.paneGeometry(layout, 2).aspect).toBe(layout === 'stacked' ? 2 : 0.5);
  const view = (centerX: number): { centerX: number; centerY: number; height: number } => ({
    centerX,
    centerY: 20,
    height: 10,
  });
  const shown = screen.draw({ number: 3, pixels: ramp }, { layout, panes: [view(10), view(70)], whole: 0 });
  expect(shown.number).toBe(3);
  const isStacked = layout === 'stacked';
  const red = (x: number, y: number): number => pixel(shown.pixels, x, y)[0] ?? 0;
  expect(isStacked ? red(20, 10) : red(10, 20)).toBeLessThan(60);
  expect(isStacked ? red(20, 30) : red(30, 20)).toBeGreaterThan(180);
  const whole = screen.draw({ number: 4, pixels: ramp }, { layout, panes: [], whole: 1 });
  expect(pixel(whole.pixels, 20, 5)).toEqual([0, 0, 0]);
  expect(Math.abs((pixel(whole.pixels, 20, 20)[0] ?? 0) - 120)).toBeLessThanOrEqual(6);
});

test.each(['rgb24', 'rgb48le'] as const)(
  'bars are filled with a dimmed, blurred copy of the image in %s',
  (pixelFormat) => {
    const isDeep = pixelFormat === 'rgb48le';
    const grey = isDeep
      ? Buffer.from(new Uint16Array(80 * 40 * 3).fill(40_000).buffer)
      : Buffer.alloc(80 * 40 * 3, 100);
    const formats = { from: { ...from, pixelFormat }, to: { ...to, pixelFormat }, pixelAspect: 1 };
    const draw = (fill: 'blur' | 'crop' | 'black'): number[] => {
      const screen = new Screen(formats, { fill });
      const { pixels } = screen.draw(
        { number: 0, pixels: grey },
        { layout: 'side-by-side', panes: [], whole: 1 },
      );
      const at = (y: number): number => (y * 40 + 20) * 3;
      return [2, 20].map((y) => (isDeep ? pixels.readUInt16LE(2 * at(y)) / 400 : (pixels[at(y)] ?? 0)));
    };
    expect(draw('black')).toEqual([0, 100]);
    expect(draw('crop')).toEqual([100, 100]);
    const [bar, middle] = draw('blur');
    expect(middle).toBe(100);
    expect(Math.abs((bar ?? 0) - 60)).toBeLessThanOrEqual(1);
  },
);

test.each([
  [{ fill: 'blur', missing: 'wide' }, 60],
  [{ fill: 'crop', missing: 'wide' }, 60],
  [{ fill: 'black', missing: 'wide' }, 0],
  [{ fill: 'blur', missing: 'black' }, 0],
] as const)('the pane of nobody has a blurred copy of the image, or is black: %o', (recipe, level) => {
  const screen = new Screen(sizes, recipe);
  const grey = Buffer.alloc(80 * 40 * 3, 100);
  const view = { centerX: 40, centerY: 20, height: 40 };
  const { pixels } = screen.draw(
    { number: 0, pixels: grey },
    { layout: 'side-by-side', panes: [view, null], whole: 0 },
  );
  expect(pixel(pixels, 10, 20)[0]).toBe(100);
  for (const y of [0, 20, 39])
    expect(Math.abs((pixel(pixels, 30, y)[0] ?? 0) - level)).toBeLessThanOrEqual(1);
});

test('the blurred copy of an image that is smaller than the copy has no black stripes', () => {
  const tiny = { ...from, width: 40, height: 30 };
  const large = { ...to, width: 960, height: 720 };
  const screen = new Screen({ from: tiny, to: large, pixelAspect: 1 }, {});
  const grey = Buffer.alloc(40 * 30 * 3, 100);
  const views = { layout: 'grid', panes: [null], whole: 0 } as const;
  const { pixels } = screen.draw({ number: 0, pixels: grey }, views);
  expect([...new Set(pixels)]).toEqual([60]);
});

test('what a pane shows beyond one edge of the image is filled like bars', () => {
  const white = Buffer.alloc(80 * 40 * 3, 100);
  const view = { centerX: 10, centerY: 20, height: 40 };
  const draw = (fill: 'blur' | 'black'): number[] => {
    const screen = new Screen(sizes, { fill });
    const views = { layout: 'side-by-side', panes: [view], whole: 0 } as const;
    return pixel(screen.draw({ number: 0, pixels: white }, views).pixels, 3, 20);
  };
  expect(draw('black')[0]).toBe(0);
  expect(draw('blur')[0]).toBe(60);
});

test.each(['rgb24', 'rgb48le'] as const)('half of a close-up is laid over its view in %s', (pixelFormat) => {
  const isDeep = pixelFormat === 'rgb48le';
  const bytes = isDeep ? 2 : 1;
  const formats = { from: { ...from, pixelFormat }, to: { ...to, pixelFormat }, pixelAspect: 1 };
  const window = { x: 20, y: 0, width: 32, height: 32 };
  const closeUp = { window, scale: 4, pixels: Buffer.alloc(128 * 128 * 3 * bytes, 200) };
  const pane = { x: 0, y: 0, width: 40, height: 40 };
  const view = { centerX: 36, centerY: 16, height: 16 };
  const drawn = composePanes(Buffer.alloc(80 * 40 * 3 * bytes, 100), formats, [{ pane, view, closeUp }]);
  expect(isDeep ? drawn.readUInt16LE(2400) : drawn[2400]).toBe(isDeep ? 150 * 257 : 150);
});

test.each(['side-by-side', 'stacked'] as const)(
  'a gap and a border stay black in a screen that is %s',
  (layout) => {
    const screen = new Screen(sizes, { gap: 4, border: 2 });
    const view = { centerX: 40, centerY: 20, height: 20 };
    const { pixels } = screen.draw({ number: 0, pixels: ramp }, { layout, panes: [view, view], whole: 0 });
    const isDrawn = (x: number, y: number): boolean => pixel(pixels, x, y)[2] !== 0;
    const across = Array.from({ length: 40 }, (_, at) =>
      layout === 'stacked' ? isDrawn(10, at) : isDrawn(at, 10),
    );
    const empty = across.flatMap((drawn, at) => (drawn ? [] : [at]));
    expect(empty).toEqual([0, 1, 18, 19, 20, 21, 38, 39]);
  },
);
