import { expect, test } from 'vitest';
import type { Presence } from '../../../../../src/pipelines/dual-face/direction/presence.ts';
import { SeatOrder } from '../../../../../src/pipelines/dual-face/direction/seat-order.ts';

function person(personId: number, x: number, y = 100): Presence {
  const boxes = Array.from({ length: 20 }, () => ({ x, y, width: 40, height: 50 }));
  return { personId, from: 0, boxes, mouth: [], isSeen: boxes.map(() => true), height: 50 };
}
const idsOf = (people: readonly Presence[]): number[] => people.map(({ personId }) => personId);

test('people in two rows are in reading order', () => {
  const call = [person(1, 300, 90), person(2, 300, 260), person(3, 100, 110), person(4, 90, 250)];
  expect(idsOf(new SeatOrder().seat(call, 0))).toEqual([3, 1, 4, 2]);
});

test('nobody changes places with another person, and a newcomer is beside the neighbour', () => {
  const order = new SeatOrder();
  expect(idsOf(order.seat([person(1, 100), person(2, 300)], 0))).toEqual([1, 2]);
  expect(idsOf(order.seat([person(2, 100), person(1, 300)], 0))).toEqual([1, 2]);
  expect(idsOf(order.seat([person(1, 100), person(3, 200), person(2, 300)], 0))).toEqual([1, 3, 2]);
  expect(idsOf(order.seat([person(2, 300), person(4, 400), person(1, 100)], 0))).toEqual([1, 2, 4]);
});
