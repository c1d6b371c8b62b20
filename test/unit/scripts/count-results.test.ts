import { describe, expect, it } from 'vitest';

interface Run {
  report: object | null;
  testsPassed: boolean;
  checks: { name: string; passed: boolean }[];
}
const script = new URL('../../../scripts/ci/count-results.mjs', import.meta.url).href;
const { countResults } = (await import(script)) as {
  countResults: (run: Run) => { passed: number; failed: number; skipped: number };
};

const report = {
  numPassedTests: 40,
  numFailedTests: 0,
  numPendingTests: 2,
  numTodoTests: 0,
  testResults: [],
};
const checks = [
  { name: 'check:lint', passed: true },
  { name: 'check:types', passed: true },
];

describe('countResults', () => {
  it('adds tests and checks', () => {
    expect(countResults({ report, testsPassed: true, checks })).toEqual({
      passed: 42,
      failed: 0,
      skipped: 2,
    });
  });

  it('counts failed tests and failed checks', () => {
    const red = { ...report, numFailedTests: 3 };
    const redChecks = [...checks, { name: 'check:format', passed: false }];
    expect(countResults({ report: red, testsPassed: false, checks: redChecks }).failed).toBe(4);
  });

  it('counts a test file that broke before its first test', () => {
    const testResults = [
      { status: 'failed', assertionResults: [] },
      { status: 'passed', assertionResults: [{ status: 'passed' }] },
    ];
    expect(countResults({ report: { ...report, testResults }, testsPassed: false, checks }).failed).toBe(1);
  });

  it('does not count a file twice whose tests failed', () => {
    const testResults = [{ status: 'failed', assertionResults: [{ status: 'failed' }] }];
    const red = { ...report, numFailedTests: 1, testResults };
    expect(countResults({ report: red, testsPassed: false, checks }).failed).toBe(1);
  });

  it.each([
    ['a run that failed without a failed test', report, false],
    ['a run without a report', null, true],
  ])('counts %s', (_, given, testsPassed) => {
    expect(countResults({ report: given, testsPassed, checks }).failed).toBe(1);
  });
});
