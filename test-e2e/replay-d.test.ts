// SPDX-License-Identifier: Apache-2.0
// The real Linux drivers' traffic to a GICv3 and its ITS against our models, by the built command line. What must be compared
// is counted here from the raw files, by nothing of ours.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeWithShared, sharedPath } from '@irqkit-test/env';
import { readJsonLines, unpackFixture } from './support/fixtures.js';
import { irqkit } from './support/irqkit.js';

interface MmioLine {
  readonly op: string;
  readonly region: string;
}

interface EventLine {
  readonly n: number;
  readonly ev: string;
  readonly dropped?: string;
}

interface Report {
  readonly agrees: boolean;
  readonly kinds: readonly { kind: string; compared: number; agreed: number; given: number }[];
  readonly replayed: { readonly cpuWrites: number; readonly deviceWrites: number };
  readonly given: readonly { what: string; count: number }[];
  readonly notCovered: readonly { what: string; count: number; why: string }[];
  readonly firstDisagreement?: Readonly<Record<string, unknown>>;
}

/** From summary.json and gic-events.jsonl. */
interface Wanted {
  readonly gitsReads: number;
  readonly commands: number;
  readonly msis: number;
  readonly dropped: number;
  readonly gicdReads: number;
  readonly gicrReads: number;
  readonly acknowledges: number;
  readonly sgis: number;
}

const D = { gitsReads: 294, commands: 126, msis: 136, dropped: 0, gicdReads: 44, gicrReads: 42 };

function replay(dir: string): { readonly status: number | null; readonly report: Report } {
  const { status, stdout } = irqkit('replay', dir, '--json');
  return { status, report: JSON.parse(stdout) as Report };
}

function agreesOnEverything(directory: () => string, wanted: Wanted): void {
  let mmio: readonly MmioLine[];
  let its: readonly EventLine[];
  let gic: readonly EventLine[];
  let result: ReturnType<typeof replay>;

  beforeAll(() => {
    const dir = directory();
    mmio = readJsonLines<MmioLine>(join(dir, 'mmio.jsonl'));
    its = readJsonLines<EventLine>(join(dir, 'its-events.jsonl'));
    gic = readJsonLines<EventLine>(join(dir, 'gic-events.jsonl'));
    result = replay(dir);
  });

  const events = (list: readonly EventLine[], ev: string) => list.filter((line) => line.ev === ev);
  const accesses = (op: string, ...regions: string[]) =>
    mmio.filter((line) => line.op === op && regions.includes(line.region)).length;
  const kind = (name: string) => result.report.kinds.find((one) => one.kind === name);
  const all = (count: number) => ({ compared: count, agreed: count, given: 0 });

  test('every register read agrees', () => {
    expect(result.status).toBe(0);
    expect(result.report.firstDisagreement).toBeUndefined();
    const { gitsReads, gicdReads, gicrReads } = wanted;
    expect([accesses('r', 'its'), accesses('r', 'gicd'), accesses('r', 'gicr')]).toEqual([
      gitsReads,
      gicdReads,
      gicrReads,
    ]);
    expect(kind('GITS reads')).toMatchObject({ compared: gitsReads, agreed: gitsReads });
    expect(kind('GICD reads')).toMatchObject({ compared: gicdReads, agreed: gicdReads });
    expect(kind('GICR reads')).toMatchObject({ compared: gicrReads, agreed: gicrReads });
    expect(result.report.replayed).toEqual({
      cpuWrites: accesses('w', 'its', 'gicd', 'gicr', 'smmu'),
      deviceWrites: wanted.msis,
    });
  });

  test('every ITS command has the operands that QEMU saw, and leaves the entries that it traced', () => {
    expect([events(its, 'process_command').length, events(its, 'cmd').length]).toEqual([
      wanted.commands,
      wanted.commands,
    ]);
    expect(kind('ITS commands')).toMatchObject(all(wanted.commands));
    expect(kind('ITS command operands')).toMatchObject(all(wanted.commands));
    const entries = its.filter(({ ev }) => /^[dic]te_/.test(ev)).length;
    const overwritten = result.report.notCovered.find(({ what }) => what === 'ITS table entries')?.count ?? 0;
    expect(kind('ITS table entries')).toMatchObject(all(entries - overwritten));
    expect(overwritten).toBeLessThan(entries / 20);
  });

  test('every message goes to the LPI and redistributor that QEMU sent it to, or is dropped', () => {
    const msis = events(its, 'msi');
    expect([msis.length, msis.filter(({ dropped }) => dropped).length]).toEqual([wanted.msis, wanted.dropped]);
    expect(kind('MSIs')).toMatchObject(all(wanted.msis));
  });

  test('every delivery is the one that Linux took; SGIs are given', () => {
    expect(events(gic, 'gicv3_icc_iar1_read')).toHaveLength(wanted.acknowledges);
    expect(kind('deliveries')).toMatchObject(all(wanted.acknowledges));
    const sgis = result.report.given.find(({ what }) => what === 'ICC_SGI1R_EL1 writes');
    expect([events(gic, 'gicv3_redist_send_sgi').length, sgis?.count]).toEqual([wanted.sgis, wanted.sgis]);
  });

  test('no region is left out', () => {
    expect(result.report.notCovered.filter(({ why }) => why === 'no adapter replays it')).toEqual([]);
  });
}

describe('capture D, as it comes with the repository', () => {
  agreesOnEverything(() => unpackFixture('capture-d'), { ...D, acknowledges: 1020, sgis: 871 });

  test('one flipped operand is found where it is', () => {
    const dir = unpackFixture('capture-d');
    const path = join(dir, 'its-events.jsonl');
    const lines = readFileSync(path, 'utf8').split('\n');
    const flipped = lines.findIndex((line) => line.includes('"cmd":"MAPTI"'));
    const { n } = JSON.parse(lines[flipped]) as EventLine;
    lines[flipped] = lines[flipped].replace('"intid":8192', '"intid":8191');
    writeFileSync(path, lines.join('\n'));
    const { status, report } = replay(dir);
    expect(status).toBe(1);
    expect(report.firstDisagreement).toMatchObject({
      kind: 'ITS command operands',
      file: 'its-events.jsonl',
      line: flipped + 1,
      n,
    });
    expect(irqkit('replay', dir).stdout).toContain(`first disagreement at its-events.jsonl:${flipped + 1} (n ${n})`);
  });
});

describeWithShared('captures of the shared data', () => {
  describe.each([
    ['D', { ...D, acknowledges: 1020, sgis: 871 }],
    [
      'D-churn',
      {
        gitsReads: 525,
        commands: 238,
        msis: 307,
        dropped: 0,
        gicdReads: 52,
        gicrReads: 64,
        acknowledges: 1806,
        sgis: 1480,
      },
    ],
    ['A', { ...D, msis: 134, gicdReads: 52, acknowledges: 824, sgis: 676 }],
    [
      'A-vfio',
      { ...D, gitsReads: 293, commands: 125, msis: 107, dropped: 2, gicdReads: 57, acknowledges: 1554, sgis: 1443 },
    ],
  ])('%s', (name, wanted) => agreesOnEverything(() => sharedPath('data', 'replay', name), wanted));
});
