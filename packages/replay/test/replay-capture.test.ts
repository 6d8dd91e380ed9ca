// SPDX-License-Identifier: Apache-2.0
import { readCapture, replayCapture } from '@irqkit/replay';
import type { ReplayReport } from '@irqkit/replay';
import { captureOf, REGIONS } from './capture-dir.js';
import type { Traffic } from './capture-dir.js';

// Written as QEMU's GICv2 would have traced it: two processors, INTID 80 an edge from the frame, 27 and 36 levels.
const TRAFFIC: Traffic = [
  'r gicd+0x4/4 0x28 cpu 0',
  'w gicd+0x0/4 0x1 cpu 0',
  'w gicc+0x4/4 0xf0 cpu 0',
  'w gicc+0x0/4 0x1 cpu 0',
  'r v2m+0x8/4 0x500040 cpu 0',
  'r v2m+0xfcc/4 0x5100000 cpu 0',
  'w gicd+0xc14/4 0x2 cpu 0',
  'r gicd+0xc14/4 0x2 cpu 0',
  'w gicd+0x850/1 0x1 cpu 0',
  'w gicd+0x108/4 0x10000 cpu 0',
  'gic_enable_irq irq 80 enabled',
  // A message for INTID 80.
  'w v2m+0x40/4 0x50 cpu 1',
  'gic_set_irq irq 80 level 1 cpumask 0xff target 0x1',
  'gic_set_irq irq 80 level 0 cpumask 0xff target 0x1',
  'gic_acknowledge_irq cpu 0 acknowledged irq 80',
  'r gicc+0xc/4 0x50 cpu 0',
  'w gicc+0x10/4 0x50 cpu 0',
  'gic_acknowledge_irq cpu 0 acknowledged irq 1023',
  'r gicc+0xc/4 0x3ff cpu 0',
  // The timer, which the capture lacks.
  'w gicd+0x100/4 0x8000000 cpu 0',
  'r gicc+0xc/4 0x1b cpu 0',
  'w gicc+0x10/4 0x1b cpu 0',
  'r gicc+0xc/4 0x1b cpu 0',
  'w gicc+0x10/4 0x1b cpu 0',
  // A wired line of which the capture has the levels.
  'w gicd+0x824/1 0x1 cpu 0',
  'w gicd+0x104/4 0x10 cpu 0',
  'gic_set_irq irq 36 level 1 cpumask 0xff target 0x1',
  'gic_acknowledge_irq cpu 0 acknowledged irq 36',
  'r gicc+0xc/4 0x24 cpu 0',
  'gic_set_irq irq 36 level 0 cpumask 0xff target 0x1',
  'w gicc+0x10/4 0x24 cpu 0',
  // SGI 3 from processor 1 to processor 0.
  'w gicd+0xf00/4 0x10003 cpu 1',
  'gic_acknowledge_irq cpu 0 acknowledged irq 3',
  'r gicc+0xc/4 0x403 cpu 0',
  'w gicc+0x10/4 0x403 cpu 0',
];

function replay(traffic: Traffic, others: Readonly<Record<string, unknown>> = {}): ReplayReport {
  return replayCapture(readCapture(captureOf(traffic, others)));
}

const changed = (from: string, to: string): Traffic => TRAFFIC.map((line) => (line === from ? to : line));

describe('a capture that the models agree with', () => {
  const report = replay(TRAFFIC);

  test('every kind is counted, and what the capture gave of it', () => {
    expect(report.kinds).toEqual([
      { kind: 'v2m reads', compared: 2, agreed: 2, given: 2 },
      { kind: 'MSIs', compared: 1, agreed: 1, given: 0 },
      { kind: 'GICD reads', compared: 2, agreed: 2, given: 1 },
      { kind: 'GICC reads', compared: 6, agreed: 6, given: 2 },
      { kind: 'enables and disables', compared: 1, agreed: 1, given: 0 },
      { kind: 'deliveries', compared: 5, agreed: 5, given: 2 },
    ]);
    expect(report.agrees).toBe(true);
    expect(report.firstDisagreement).toBeUndefined();
  });

  test('writes by processors and by devices are told apart', () => {
    expect(report.replayed).toEqual({ cpuWrites: 15, deviceWrites: 1 });
  });

  test('what was given is named with its count and reason', () => {
    expect(report.given.map(({ what, count }) => [what, count])).toEqual([
      ['MSI_TYPER 0x500040', 1],
      ['MSI_IIDR 0x5100000', 1],
      ['GICD_TYPER 0x28', 1],
      ['input of INTID 27', 2],
      ['input of INTID 36', 2],
    ]);
    expect(report.notCovered).toEqual([]);
  });
});

describe('one value that differs', () => {
  test('in a register read is found at its line', () => {
    const report = replay(changed('r gicd+0xc14/4 0x2 cpu 0', 'r gicd+0xc14/4 0x6 cpu 0'));
    expect(report.firstDisagreement).toEqual({
      kind: 'GICD reads',
      file: 'mmio.jsonl',
      line: 8,
      n: 8,
      place: 'gicd+0xc14, cpu 0',
      expected: '0x6',
      got: '0x2',
    });
    expect(report.agrees).toBe(false);
    expect(report.kinds.map(({ compared, agreed }) => compared - agreed)).toEqual([0, 0, 1, 0, 0, 0]);
  });

  test('in an acknowledged INTID is found in both records of it', () => {
    const read = replay(changed('r gicc+0xc/4 0x50 cpu 0', 'r gicc+0xc/4 0x51 cpu 0'));
    expect(read.firstDisagreement).toMatchObject({ kind: 'GICC reads', n: 16, expected: '0x51', got: '0x50' });
    const event = replay(
      changed('gic_acknowledge_irq cpu 0 acknowledged irq 80', 'gic_acknowledge_irq cpu 0 acknowledged irq 81'),
    );
    expect(event.firstDisagreement).toMatchObject({
      kind: 'deliveries',
      file: 'gic-events.jsonl',
      line: 4,
      n: 15,
      expected: 'INTID 81',
      got: 'INTID 80',
    });
  });

  test('in a message is found by what it raised', () => {
    const report = replay(changed('w v2m+0x40/4 0x50 cpu 1', 'w v2m+0x40/4 0x51 cpu 1'));
    // INTID 81 is level-sensitive here, and a level-sensitive input keeps nothing of an edge.
    expect(report.firstDisagreement).toMatchObject({ kind: 'MSIs', n: 12, expected: 'INTID 80', got: 'nothing' });
    expect(report.kinds.find(({ kind }) => kind === 'deliveries')).toMatchObject({ compared: 5, agreed: 4 });
  });

  test('in an INTID that there is not is found, and no line is raised for it', () => {
    const report = replay(
      changed('r gicc+0xc/4 0x403 cpu 0', 'r gicc+0xc/4 0x383 cpu 0').filter((l) => !l.endsWith(' irq 3')),
    );
    expect(report.firstDisagreement).toMatchObject({ kind: 'GICC reads', expected: '0x383', got: '0x403' });
    expect(report.given).toHaveLength(5);
    const unknown = replay([...TRAFFIC, 'gic_set_irq irq 899 level 1 cpumask 0xff target 0x1']);
    expect(unknown.notCovered.map(({ what, count }) => [what, count])).toEqual([['gic-events.jsonl: gic_set_irq', 1]]);
  });

  test('in an enable is found at its event', () => {
    const report = replay(changed('gic_enable_irq irq 80 enabled', 'gic_enable_irq irq 81 enabled'));
    expect(report.firstDisagreement).toMatchObject({ n: 11, place: 'INTID 81, cpu 0', got: 'disabled' });
  });

  test('in an SGI is not given away by its acknowledge', () => {
    const report = replay(TRAFFIC.filter((line) => !line.startsWith('w gicd+0xf00')));
    expect(report.firstDisagreement).toMatchObject({ kind: 'GICC reads', expected: '0x403', got: '0x3ff' });
  });

  test('a delivery that the capture does not have is a disagreement', () => {
    const without = TRAFFIC.slice(0, 14).concat(['r gicc+0xc/4 0x3ff cpu 0']);
    const report = replay(without);
    expect(report.firstDisagreement).toMatchObject({ kind: 'GICC reads', n: 15, expected: '0x3ff', got: '0x50' });
    expect(report.kinds.find(({ kind }) => kind === 'deliveries')).toMatchObject({ compared: 1, agreed: 0 });
  });
});

describe('what is not covered', () => {
  test('regions and events that no adapter knows are counted by name', () => {
    const report = replay(
      [...TRAFFIC, 'r its+0x0/4 0x1 cpu 0', 'w its+0x80/8 0xb800000042010000 cpu 0', 'gic_update_bestirq cpu 0 irq 80'],
      {
        'summary.json': { regions: [...REGIONS, ['its', '0x8080000', '0x10000']] },
        'its-events.jsonl': '{"n":99,"ev":"cmd","op":"MAPD"}\n',
      },
    );
    expect(report.agrees).toBe(true);
    expect(report.notCovered.map(({ what, count }) => [what, count])).toEqual([
      ['accesses to its', 2],
      ['gic-events.jsonl: gic_update_bestirq', 1],
      ['its-events.jsonl: cmd', 1],
    ]);
  });

  test('accesses that no processor made are not replayed as one', () => {
    const report = replay([...TRAFFIC, 'r v2m+0x40/4 0x0 cpu -1']);
    expect(report.notCovered).toEqual([{ what: 'accesses to v2m', count: 1, why: 'made by no processor' }]);
    expect(report.agrees).toBe(true);
  });

  test('an acknowledge whose read was not recorded', () => {
    const report = replay([...TRAFFIC, 'gic_acknowledge_irq cpu 1 acknowledged irq 1023']);
    expect(report.notCovered.map(({ what, count }) => [what, count])).toEqual([['gic_acknowledge_irq', 1]]);
  });

  test('messages of a capture without gic_set_irq are replayed but not compared', () => {
    const report = replay(TRAFFIC.filter((line) => !line.startsWith('gic_set_irq irq 80')));
    expect(report.kinds.find(({ kind }) => kind === 'MSIs')).toMatchObject({ compared: 0 });
    expect(report.notCovered.map(({ what, count }) => [what, count])).toEqual([['MSIs', 1]]);
    expect(report.replayed.deviceWrites).toBe(1);
  });
});

test('an access by a processor that the tree does not have names its line', () => {
  const capture = readCapture(captureOf(['r gicd+0x4/4 0x28 cpu 0', 'r gicd+0x4/4 0x28 cpu 7']));
  expect(() => replayCapture(capture)).toThrow(/mmio\.jsonl:2: .*no processor 7/);
});
