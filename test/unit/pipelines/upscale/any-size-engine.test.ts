import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cutInto } from '../../../../src/pipelines/upscale/any-size-engine.ts';

test('windows of one length cover an edge, and their kept parts follow each other', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 4, max: 600 }), (edge, length) => {
      const windows = cutInto(edge, length);
      const overlap = edge <= length ? 0 : Math.min(32, Math.floor(length / 4));
      let at = 0;
      for (const window of windows) {
        expect(window.length).toBe(length);
        expect(window.coreStart).toBe(at);
        at += window.coreLength;
        const [before, after] = [window.coreStart - window.start, window.start + length - at];
        // At the edges of the image there is nothing to overlap with.
        if (window.coreStart > 0) expect(before).toBeGreaterThanOrEqual(overlap);
        if (at < edge) expect(after).toBeGreaterThanOrEqual(overlap);
        expect(Math.min(before, edge <= length ? before : after)).toBeGreaterThanOrEqual(0);
      }
      expect(at).toBe(edge);
    }),
  );
});
