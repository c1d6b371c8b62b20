import { describe, expect, it } from 'vitest';
import { parseHottest, parseProcesses } from '../../../src/hardware/gpu-load.ts';

describe('processes on a GPU', () => {
  it('are parsed by the column names, which differ between drivers', () => {
    const older = `# gpu        pid  type    sm   mem   enc   dec   command
# Idx          #   C/G     %     %     %     %   name
    0       1234     G    12     3     -     -   Xorg
    0       5678     C    87    40     0     0   Blender Render 4.1
`;
    const newer = `# gpu         pid   type     sm    mem    enc    dec    jpg    ofa    command
# Idx           #    C/G      %      %      %      %      %      %    name
    0       5678      C     87     40      -      -      -      -    python3
    1          -      -      -      -      -      -      -      -    -
`;
    expect(parseProcesses(older)).toEqual([
      { pid: 1234, name: 'Xorg', percent: 12 },
      { pid: 5678, name: 'Blender Render 4.1', percent: 87 },
    ]);
    expect(parseProcesses(newer)).toEqual([{ pid: 5678, name: 'python3', percent: 87 }]);
  });

  it('may have a load that the driver does not report', () => {
    const text = `# gpu        pid  type    sm   mem   enc   dec   command
    0       1234   C+G     -     -     -     -   game.exe
`;
    expect(parseProcesses(text)).toEqual([{ pid: 1234, name: 'game.exe', percent: null }]);
  });

  it.each(['', 'Feature not supported on this platform\n', 'pid 12 is busy\n'])('are none in %j', (text) => {
    expect(parseProcesses(text)).toEqual([]);
  });
});

it.each([
  ['41\n', 41],
  ['41\n87\n', 87],
  ['[N/A]\n', null],
  ['', null],
])('the hottest GPU of %j has %s degrees', (text, celsius) => {
  expect(parseHottest(text)).toBe(celsius);
});
