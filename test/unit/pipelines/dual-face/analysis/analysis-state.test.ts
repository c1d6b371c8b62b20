import { serialize } from 'node:v8';
import { expect, test } from 'vitest';
import {
  FIRST_ANALYSIS,
  readAnalysisState,
  writeAnalysisState,
} from '../../../../../src/pipelines/dual-face/analysis/analysis-state.ts';
import { followFaces } from '../../../../../src/pipelines/dual-face/analysis/analyse-frames.ts';
import { decodeViews, encodeViews } from '../../../../../src/pipelines/dual-face/composition/screen-views.ts';

const faces = [{ box: { x: 10, y: 20, width: 30, height: 40 }, score: 0.9 }];
const embed = (): Promise<Float32Array> => Promise.resolve(Float32Array.of(1, 0));

test('an analysis that continues from a stored state finds the same as one without interruption', async () => {
  const { state } = await followFaces(FIRST_ANALYSIS, faces, true, embed);
  const stored = readAnalysisState(writeAnalysisState(state));
  expect(stored).toEqual(state);
  expect(await followFaces(stored, faces, false, embed)).toEqual(
    await followFaces(state, faces, false, embed),
  );
});

test('a state of another version is rejected', () => {
  const other = serialize({ ...FIRST_ANALYSIS, version: 3 });
  expect(() => readAnalysisState(other)).toThrow('state version 3, expected 4');
});

test('the views of a batch are stored exactly, by frame number', () => {
  const view = { centerX: 0.1, centerY: 200.3, height: 1 / 3 };
  const views = [
    { layout: 'grid', panes: [view, null, view], whole: 0 },
    { layout: 'stacked', panes: [], whole: 0.7 },
  ] as const;
  expect([...decodeViews(encodeViews(40, views))]).toEqual([
    [40, views[0]],
    [41, views[1]],
  ]);
  const ofOldVersion = new Uint8Array(new Float64Array([40, 1, 2, 3, 4, 5, 6, 0]).buffer);
  expect(() => decodeViews(ofOldVersion)).toThrow('begun by another version');
});
