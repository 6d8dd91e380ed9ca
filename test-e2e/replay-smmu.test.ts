// SPDX-License-Identifier: Apache-2.0
// The real Linux driver's traffic to an SMMUv3 against our model, by the built command line. What must be compared is counted here
// from the raw files, by nothing of ours.

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
  readonly pa?: string;
}

interface Report {
  readonly agrees: boolean;
  readonly kinds: readonly { kind: string; compared: number; agreed: number; given: number }[];
  readonly given: readonly { what: string; count: number }[];
  readonly notCovered: readonly { what: string; count: number; why: string }[];
  readonly departures: readonly { what: string; count: number; section: string }[];
  readonly firstDisagreement?: Readonly<Record<string, unknown>>;
}

/** From summary.json and smmu-events.jsonl; what stands at a snapshot, from smmu-tables.json. */
interface Wanted {
  readonly reads: number;
  readonly commands: number;
  readonly configurations: number;
  readonly cds: number;
  readonly translations: number;
  readonly faults: number;
  readonly standing: number;
  readonly gone: number;
}

const A_VFIO = { reads: 317, commands: 578, configurations: 7, cds: 7, translations: 1388, faults: 7 };
const STANDING = 'translations from RAM alone';

function replay(dir: string): { readonly status: number | null; readonly report: Report } {
  const { status, stdout } = irqkit('replay', dir, '--json');
  return { status, report: JSON.parse(stdout) as Report };
}

function agreesOnEverything(directory: () => string, wanted: Wanted): void {
  let mmio: readonly MmioLine[];
  let smmu: readonly EventLine[];
  let result: ReturnType<typeof replay>;

  beforeAll(() => {
    const dir = directory();
    mmio = readJsonLines<MmioLine>(join(dir, 'mmio.jsonl'));
    smmu = readJsonLines<EventLine>(join(dir, 'smmu-events.jsonl'));
    result = replay(dir);
  });

  const count = (ev: string) => smmu.filter((line) => line.ev === ev).length;
  const kind = (name: string) => result.report.kinds.find((one) => one.kind === name);
  const all = (compared: number) => ({ compared, agreed: compared });

  test('every register read agrees, and nothing of the region is left out', () => {
    expect(result.status).toBe(0);
    expect(result.report.firstDisagreement).toBeUndefined();
    const reads = mmio.filter(({ op, region }) => op === 'r' && region === 'smmu').length;
    expect(reads).toBe(wanted.reads);
    // IDR0, IDR1, IDR3, IDR5 and IIDR are silicon's.
    expect(kind('SMMU reads')).toMatchObject({ ...all(reads), given: 5 });
    const leftOut = result.report.notCovered.filter(({ what }) => /smmu/i.test(what));
    expect(leftOut.filter(({ what, why }) => what === 'accesses to smmu' || why === 'no adapter replays it')).toEqual(
      [],
    );
  });

  test('every command has the name and the operands that QEMU saw', () => {
    expect(count('cmdq_opcode')).toBe(wanted.commands);
    expect(kind('SMMU commands')).toMatchObject(all(wanted.commands));
    const operands = ['cmdq_cfgi_ste', 'cmdq_cfgi_ste_range', 'cmdq_tlbi_nh_asid', 'cmdq_tlbi_s12_vmid'].map(count);
    const pieces = count('s1_range_inval') + count('range_inval');
    const compared = kind('SMMU command operands')?.compared ?? 0;
    expect(kind('SMMU command operands')).toMatchObject(all(compared));
    // QEMU traces an invalidation by address in pieces, which are one operand together.
    const others = operands.reduce((sum, one) => sum + one, 0);
    expect(compared).toBeLessThanOrEqual(others + pieces);
    expect(compared).toBeGreaterThan(others + pieces / 2);
  });

  test('every STE and CD is where QEMU fetched it', () => {
    expect([count('get_ste'), count('get_cd')]).toEqual([wanted.configurations, wanted.cds]);
    expect(kind('STE addresses')).toMatchObject(all(wanted.configurations));
    expect(kind('CD addresses')).toMatchObject(all(wanted.cds));
    expect(kind('CDs decoded')).toMatchObject(all(wanted.cds));
  });

  test('every translation goes to the address, and lets through what QEMU traced', () => {
    expect(count('translate_success')).toBe(wanted.translations);
    expect(kind('SMMU translations')).toMatchObject(all(wanted.translations));
    const overlaid = result.report.given.find(({ what }) => what === 'page table descriptors');
    expect(overlaid?.count).toBe(count('get_pte'));
  });

  test('every fault record is the one in the queue, but for its CLASS, which is listed', () => {
    expect(count('record_event')).toBe(wanted.faults);
    expect(kind('SMMU fault records')).toMatchObject(all(wanted.faults));
    const classes = result.report.departures.filter(({ what }) => what.startsWith('CLASS of '));
    expect(classes.reduce((sum, one) => sum + one.count, 0)).toBe(wanted.faults);
    expect(result.report.departures).toEqual(classes);
  });

  test('from RAM alone: every translation whose mapping still stands', () => {
    expect(kind(STANDING)).toMatchObject(all(wanted.standing));
    const left = result.report.notCovered.filter(({ what }) => what === STANDING);
    expect(left.find(({ why }) => why === 'no longer mapped at the snapshot')?.count).toBe(wanted.gone);
    const others = left.reduce((sum, one) => sum + one.count, 0);
    expect(wanted.standing + others).toBe(wanted.translations);
  });
}

describe('capture A-vfio, as it comes with the repository', () => {
  agreesOnEverything(() => unpackFixture('capture-a-vfio'), { ...A_VFIO, standing: 877, gone: 496 });

  test("the SMMU's own interrupts are the model's: none is given", () => {
    const dir = unpackFixture('capture-a-vfio');
    const gic = readFileSync(join(dir, 'gic-events.jsonl'), 'utf8');
    expect(gic.match(/interrupt 106 level changed to 1/g)).toHaveLength(7);
    expect(gic.match(/value 0x6a"/g)).toHaveLength(14);
    const { report } = replay(dir);
    expect(report.given.filter(({ what }) => what === 'input of INTID 106')).toEqual([]);
    expect(report.kinds.find(({ kind }) => kind === 'deliveries')).toMatchObject({ compared: 1554, agreed: 1554 });
  });

  test('one flipped address is found where it is', () => {
    const dir = unpackFixture('capture-a-vfio');
    const path = join(dir, 'smmu-events.jsonl');
    const lines = readFileSync(path, 'utf8').split('\n');
    const flipped = lines.indexOf(lines.filter((line) => line.includes('translate_success')).at(-1) ?? '');
    const { n } = JSON.parse(lines[flipped]) as EventLine;
    lines[flipped] = lines[flipped].replace('"pa":"0x8090040"', '"pa":"0x8091040"');
    writeFileSync(path, lines.join('\n'));
    const { status, report } = replay(dir);
    expect(status).toBe(1);
    expect(report.firstDisagreement).toMatchObject({
      kind: 'SMMU translations',
      file: 'smmu-events.jsonl',
      line: flipped + 1,
      n,
      expected: '-> 0x8091040 rw',
      got: '-> 0x8090040 rw',
    });
  });

  test('a command that was never handed over is missed where QEMU runs it', () => {
    const dir = unpackFixture('capture-a-vfio');
    const path = join(dir, 'mmio.jsonl');
    const lines = readFileSync(path, 'utf8').split('\n');
    const written = lines.filter((line) => line.includes('"op":"w","region":"smmu","off":"0x98"')).at(-1);
    writeFileSync(path, lines.filter((line) => line !== written).join('\n'));
    const { status, report } = replay(dir);
    expect(status).toBe(1);
    expect(report.firstDisagreement).toMatchObject({ kind: 'SMMU commands', got: 'nothing' });
  });

  test('a truncated line is named', () => {
    const dir = unpackFixture('capture-a-vfio');
    const path = join(dir, 'smmu-events.jsonl');
    writeFileSync(path, readFileSync(path, 'utf8').slice(0, 1000));
    const { status, stderr } = irqkit('replay', dir);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^irqkit: .*smmu-events\.jsonl:\d+: not JSON\n$/);
  });
});

describeWithShared('SMMU captures of the shared data', () => {
  describe.each([
    // The README there counts 1123 and 578 of the 1746 before the snapshot.
    [
      'A',
      {
        reads: 378,
        commands: 731,
        configurations: 8,
        cds: 8,
        translations: 1747,
        faults: 0,
        standing: 1123,
        gone: 578,
      },
    ],
    [
      'A-s2',
      {
        reads: 391,
        commands: 768,
        configurations: 8,
        cds: 0,
        translations: 1919,
        faults: 0,
        standing: 1139,
        gone: 763,
      },
    ],
    ['A-vfio', { ...A_VFIO, standing: 877, gone: 496 }],
  ])('%s', (name, wanted) => agreesOnEverything(() => sharedPath('data', 'replay', name), wanted));
});
