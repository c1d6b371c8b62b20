import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';

const PACKAGING = join(import.meta.dirname, '../../../packaging/aws');

interface MetricMath {
  Id: string;
  Expression?: string;
  MetricStat?: { Metric: { Dimensions: { Name: string; Value: string }[] } };
  ReturnData: boolean;
}

function read(name: string): unknown {
  return JSON.parse(readFileSync(join(PACKAGING, name), 'utf8'));
}

const groups = read('groups.json') as Record<string, { MinSize: number; MaxSize: number }>;

/** Value of an expression of CloudWatch's metric math, of the functions that the policies use; null: no data. */
function evaluate(expression: string, values: Readonly<Record<string, number | null>>): number {
  const script = expression
    .replaceAll('AND', '&&')
    .replaceAll(/\bIF\(/g, 'choose(')
    .replaceAll(/\bFILL\(/g, 'fill(');
  const choose = (condition: unknown, yes: number, no: number): number =>
    Number(condition) === 0 ? no : yes;
  const fill = (value: number | null, otherwise: number): number => value ?? otherwise;
  return Number(runInNewContext(script, { choose, fill, ...values }));
}

/** Instances that target tracking asks for: as many as bring the metric to its target, within the size of the group. */
function wanted(kind: 'cpu' | 'gpu', visible: number, instances: number): number {
  const { TargetTrackingConfiguration: policy } = read(`scaling-${kind}.json`) as {
    TargetTrackingConfiguration: {
      TargetValue: number;
      CustomizedMetricSpecification: { Metrics: MetricMath[] };
    };
  };
  const result = policy.CustomizedMetricSpecification.Metrics.find(({ ReturnData }) => ReturnData);
  const metric = evaluate(result?.Expression ?? '', { visible, instances });
  const { MinSize = 0, MaxSize = 0 } = groups[`framekiln-${kind}`] ?? {};
  const count = Math.ceil((Math.max(instances, 1) * metric) / policy.TargetValue);
  return Math.min(MaxSize, Math.max(MinSize, count));
}

test.each([
  { visible: 0, instances: 1, count: 1 },
  { visible: 4, instances: 1, count: 1 },
  { visible: 5, instances: 1, count: 2 },
  { visible: 20, instances: 2, count: 5 },
  { visible: 20, instances: 5, count: 5 },
  { visible: 1000, instances: 3, count: 10 },
  { visible: 0, instances: 10, count: 1 },
])('$visible messages and $instances CPU instances ask for $count', ({ visible, instances, count }) => {
  expect(wanted('cpu', visible, instances)).toBe(count);
});

test.each([
  { visible: 0, instances: 3, count: 0 },
  { visible: 9, instances: 1, count: 3 },
  { visible: 100, instances: 2, count: 5 },
])('$visible messages and $instances GPU instances ask for $count', ({ visible, instances, count }) => {
  expect(wanted('gpu', visible, instances)).toBe(count);
});

test('the first GPU instance starts with the first message, and only then', () => {
  const { Policy: policy, Alarm: alarm } = read('scaling-gpu-first.json') as {
    Policy: { AdjustmentType: string; StepAdjustments: { ScalingAdjustment: number }[] };
    Alarm: { Threshold: number; ComparisonOperator: string; Metrics: MetricMath[] };
  };
  expect(policy).toMatchObject({
    AdjustmentType: 'ExactCapacity',
    StepAdjustments: [{ ScalingAdjustment: 1 }],
  });
  expect(alarm.ComparisonOperator).toBe('GreaterThanThreshold');
  const { Expression: expression = '' } = alarm.Metrics.find(({ ReturnData }) => ReturnData) ?? {};
  const rings = (visible: number, instances: number | null): boolean =>
    evaluate(expression, { visible, instances }) > alarm.Threshold;
  // A group without instances may have no data.
  expect([rings(1, 0), rings(1, null), rings(0, 0), rings(5, 1)]).toEqual([true, true, false, false]);
});

test.each(['scaling-cpu.json', 'scaling-gpu.json', 'scaling-gpu-first.json'])(
  '%s looks at its own queue and group',
  (name) => {
    const kind = name.includes('cpu') ? 'framekiln-cpu' : 'framekiln-gpu';
    const text = readFileSync(join(PACKAGING, name), 'utf8');
    const named = [...text.matchAll(/"(?:Value|AutoScalingGroupName)": "(framekiln-\w+)"/g)].map(
      (found) => found[1],
    );
    expect(named.length).toBeGreaterThanOrEqual(2);
    expect(new Set(named)).toEqual(new Set([kind]));
  },
);

test('KEDA finds the credentials that its trigger names', () => {
  const text = readFileSync(join(PACKAGING, 'keda-scaled-job.yaml'), 'utf8');
  const [, reference] = /authenticationRef:\s+name: (\S+)/.exec(text) ?? [];
  const [, defined] = /kind: TriggerAuthentication\s+metadata:\s+name: (\S+)/.exec(text) ?? [];
  expect(reference).toBeDefined();
  expect(defined).toBe(reference);
});
