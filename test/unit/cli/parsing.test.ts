import { InvalidArgumentError } from 'commander';
import { describe, expect, it } from 'vitest';
import { exitCodeFor } from '../../../src/cli/exit-code-for.ts';
import { formatTable } from '../../../src/cli/format-table.ts';
import {
  numberOrText,
  parseInteger,
  parseJobId,
  parseList,
  parseTime,
} from '../../../src/cli/parse-arguments.ts';
import {
  ConfigurationError,
  InputRejectedError,
  InternalError,
  ModelError,
  TransientError,
  StoppedError,
  VerificationError,
} from '../../../src/domain/errors.ts';

describe('arguments', () => {
  it('accept only positive integers as job numbers', () => {
    expect(parseJobId('12')).toBe(12);
    for (const text of ['0', '-1', '1.5', '1e3', 'x', '', '0x10']) {
      expect(() => parseJobId(text)).toThrow(InvalidArgumentError);
    }
  });

  it('accept times as players show them', () => {
    const times = ['83', '0', '1:23', '1:02:03.5', '75.25', '12:30'];
    expect(times.map(parseTime)).toEqual([83, 0, 83, 3723.5, 75.25, 750]);
    for (const text of ['', 'noon', '1:75', '1:60:00', '-3', '1:2:3:4', '1e3'])
      expect(() => parseTime(text)).toThrow(InvalidArgumentError);
    expect(parseList(' a, b,,c ')).toEqual(['a', 'b', 'c']);
  });

  it('accept a negative priority', () => {
    expect(parseInteger('-5')).toBe(-5);
    expect(() => parseInteger('5 high')).toThrow(InvalidArgumentError);
  });

  it('that are not numbers are left to the recipe schema', () => {
    expect(['2', '1.5', 'auto', '', '2x'].map(numberOrText)).toEqual([2, 1.5, 'auto', '', '2x']);
  });
});

describe('exitCodeFor', () => {
  it.each([
    [new ConfigurationError('x', ['x']), 2],
    [new ModelError('MODEL_UNKNOWN', 'x'), 2],
    [new ModelError('MODEL_MISSING', 'x'), 3],
    [new TransientError('FFMPEG_MISSING', 'x'), 3],
    [new InputRejectedError('NOT_A_VIDEO', 'x'), 1],
    [new VerificationError('x'), 1],
    [new StoppedError('x'), 130],
    [new InternalError('x'), 70],
    [new TypeError('x'), 70],
    ['thrown text', 70],
  ])('maps %s to %i', (error, code) => {
    expect(exitCodeFor(error)).toBe(code);
  });
});

describe('formatTable', () => {
  it('makes columns as wide as their widest cell, without trailing spaces', () => {
    expect(
      formatTable(
        ['A', 'B'],
        [
          ['long', ''],
          ['x', 'y'],
        ],
      ),
    ).toEqual(['A     B', 'long', 'x     y']);
  });
});
