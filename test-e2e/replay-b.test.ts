// SPDX-License-Identifier: Apache-2.0
// The real Linux drivers' traffic against our models, by the built command line. What must be compared is counted here from
// the raw files, by nothing of ours.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeWithShared, sharedPath } from '@irqkit-test/env';
import { readJsonLines, unpackFixture } from './support/fixtures.js';
import { irqkit } from './support/irqkit.js';

interface MmioLine {
  readonly n: number;
  readonly op: string;
  readonly region: string;
  readonly off: string;
  readonly val: string;
}

interface Report {
  readonly agrees: boolean;
  readonly kinds: readonly { kind: string; compared: number; agreed: number; given: number }[];
  readonly replayed: { readonly cpuWrites: number; readonly deviceWrites: number };
  readonly given: readonly { what: string; count: number }[];
  readonly notCovered: readonly unknown[];
  readonly firstDisagreement?: Readonly<Record<string, unknown>>;
}

function replay(dir: string): { readonly status: number | null; readonly report: Report } {
  const { status, stdout } = irqkit('replay', dir, '--json');
  return { status, report: JSON.parse(stdout) as Report };
}

function agreesOnEverything(directory: () => string): void {
  let dir: string;
  let mmio: readonly MmioLine[];
  let result: ReturnType<typeof replay>;

  beforeAll(() => {
    dir = directory();
    mmio = readJsonLines<MmioLine>(join(dir, 'mmio.jsonl'));
    result = replay(dir);
  });

  const isMessage = (line: MmioLine) => line.region === 'v2m' && line.op === 'w' && line.off === '0x40';
  const acknowledged = () =>
    mmio
      .filter(({ op, region, off }) => op === 'r' && region === 'gicc' && off === '0xc')
      .map(({ val }) => Number(val) % 1024);
  const kind = (name: string) => result.report.kinds.find((one) => one.kind === name);

  test('all that can be compared is compared, and agrees', () => {
    expect(result.status).toBe(0);
    expect(result.report.agrees).toBe(true);
    expect(result.report.notCovered).toEqual([]);
    const reads = (region: string) => mmio.filter((line) => line.op === 'r' && line.region === region).length;
    const summary = JSON.parse(readFileSync(join(dir, 'summary.json'), 'utf8')) as {
      mmio_accesses: Record<string, number>;
    };
    expect([reads('gicd'), reads('gicc'), reads('v2m')]).toEqual([67, 5605, 2]);
    expect(summary.mmio_accesses).toMatchObject({ 'gicd:r': 67, 'gicc:r': 5605, 'v2m:r': 2 });
    expect(kind('GICD reads')).toMatchObject({ compared: 67, agreed: 67 });
    expect(kind('GICC reads')).toMatchObject({ compared: 5605, agreed: 5605 });
    expect(kind('v2m reads')).toMatchObject({ compared: 2, agreed: 2 });
  });

  test('every message raises what it raised in QEMU', () => {
    expect(mmio.filter(isMessage)).toHaveLength(135);
    expect(kind('MSIs')).toEqual({ kind: 'MSIs', compared: 135, agreed: 135, given: 0 });
    expect(result.report.replayed).toEqual({
      cpuWrites: mmio.filter((line) => line.op === 'w' && !isMessage(line)).length,
      deviceWrites: 135,
    });
  });

  test('every delivery is the one that Linux took; only the timer was given to it', () => {
    const delivered = acknowledged().filter((intid) => intid < 1020);
    const timers = delivered.filter((intid) => intid === 27);
    expect([delivered.length, timers.length]).toEqual([2865, 1988]);
    expect(kind('deliveries')).toEqual({ kind: 'deliveries', compared: 2865, agreed: 2865, given: 1988 });
    const inputs = result.report.given.filter(({ what }) => what.startsWith('input'));
    expect(inputs.map(({ what, count }) => [what, count])).toEqual([
      ['input of INTID 27', 1988],
      // The levels of a legacy interrupt's wire, up and down, as the capture has them.
      ['input of INTID 36', 33],
    ]);
  });

  test('one flipped value is found where it is', () => {
    const flipped = mmio.findIndex(({ op, region, val }) => op === 'r' && region === 'gicc' && val === '0x58');
    const { n } = mmio[flipped];
    const copy = unpackFixture('capture-b');
    const lines = readFileSync(join(dir, 'mmio.jsonl'), 'utf8').split('\n');
    lines[flipped] = lines[flipped].replace('"val":"0x58"', '"val":"0x59"');
    writeFileSync(join(copy, 'mmio.jsonl'), lines.join('\n'));
    const { status, report } = replay(copy);
    expect(status).toBe(1);
    expect(report.firstDisagreement).toMatchObject({
      kind: 'GICC reads',
      file: 'mmio.jsonl',
      line: flipped + 1,
      n,
      expected: '0x59',
      got: '0x58',
    });
    const { stdout } = irqkit('replay', copy);
    expect(stdout).toContain(`first disagreement at mmio.jsonl:${flipped + 1} (n ${n}): GICC reads: gicc+0xc, cpu 0`);
  });
}

describe('capture B, as it comes with the repository', () => {
  agreesOnEverything(() => unpackFixture('capture-b'));
});

describeWithShared('capture B of the shared data', () => {
  agreesOnEverything(() => sharedPath('data', 'replay', 'B'));
});
