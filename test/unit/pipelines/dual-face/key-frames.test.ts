import { expect, test } from 'vitest';
import { interpolatePeople, withLast } from '../../../../src/pipelines/dual-face/key-frames.ts';
import { stablePerson } from '../../../helpers/people.ts';

test.each([[[]], [['a']], [['a', 'b', 'c']]])('the last of %j is marked as last', async (items: string[]) => {
  const marked: [string, boolean][] = [];
  for await (const { item, isLast } of withLast(items)) marked.push([item, isLast]);
  expect(marked).toEqual(items.map((item, i) => [item, i === items.length - 1]));
});

test('boxes are interpolated between analysed frames; people in only one of them do not move', () => {
  const before = [stablePerson(1, 100), stablePerson(2, 700)];
  const after = [stablePerson(1, 200), stablePerson(2, 900, { trackId: null }), stablePerson(3, 400)];
  const between = interpolatePeople(before, after, 0.25);
  expect(between.map(({ id, box }) => [id, box.x])).toEqual([
    [1, 85],
    [2, 660],
  ]);
  expect(between[0]?.x).toBe(125);
});
