import { expect, test } from 'vitest';
import { parseResult } from '../../../src/trial/run-measurement.ts';

test.for([
  ['{"cores":2}', { cores: 2 }],
  ['driver: no device\n{"cores":2}', null],
  ['', null],
])('%j is parsed as %j', ([printed, result]) => {
  expect(parseResult(printed as string)).toEqual(result);
});
