// SPDX-License-Identifier: Apache-2.0
// QEMU's page-table walks and invalidations against our SMMUv3, by the built command line. What must be compared is counted here
// from the raw files, by nothing of ours.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeWithShared, sharedPath } from '@irqkit-test/env';
import { unpackFixture } from './support/fixtures.js';
import { irqkit } from './support/irqkit.js';

interface RawCase {
  readonly name: string;
  readonly probes: readonly unknown[];
  readonly architecture?: { readonly differs: boolean };
}

interface RawInvalidation {
  readonly stale_entry_used?: boolean;
  readonly old_configuration_used?: boolean;
}

interface RawFile {
  readonly cases?: readonly RawCase[];
  readonly runs?: readonly { readonly cases: readonly RawInvalidation[] }[];
}

interface Report {
  readonly agrees: boolean;
  readonly kinds: readonly { kind: string; compared: number; agreed: number }[];
  readonly notCovered: readonly { what: string; count: number }[];
  readonly departures: readonly { what: string; count: number; section: string }[];
  readonly firstDisagreement?: Readonly<Record<string, unknown>>;
}

const PROBES = / probes$|^probes where /;
const NR_PROBES = 405;

function replay(dir: string): { readonly status: number | null; readonly report: Report } {
  const { status, stdout } = irqkit('replay', dir, '--json');
  return { status, report: JSON.parse(stdout) as Report };
}

function agreesOnEverything(directory: () => string): void {
  let raw: ReadonlyMap<string, RawFile>;
  let result: ReturnType<typeof replay>;

  beforeAll(() => {
    const dir = directory();
    const names = readdirSync(dir).filter((name) => name.endsWith('.json'));
    raw = new Map(names.map((name) => [name, JSON.parse(readFileSync(join(dir, name), 'utf8')) as RawFile]));
    result = replay(dir);
  });

  const cases = () =>
    [...raw].flatMap(([file, { cases: own = [] }]) => own.map((one) => ({ ...one, title: `${file}: ${one.name}` })));
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);

  test('every probe is compared, and agrees with QEMU or with the manual', () => {
    expect(result.status).toBe(0);
    expect(result.report.firstDisagreement).toBeUndefined();
    expect(sum(cases().map(({ probes }) => probes.length))).toBe(NR_PROBES);
    const kinds = result.report.kinds.filter(({ kind }) => PROBES.test(kind));
    expect(sum(kinds.map(({ compared }) => compared))).toBe(NR_PROBES);
    expect(sum(kinds.map(({ agreed }) => agreed))).toBe(NR_PROBES);
    expect(result.report.notCovered.filter(({ what }) => PROBES.test(what))).toEqual([]);
  });

  test('every case that the recorder marks is compared with the manual, and listed with its section', () => {
    const marked = cases().filter(({ architecture }) => architecture?.differs);
    const byTheManual = result.report.kinds.find(({ kind }) => kind === 'probes where QEMU departs from the manual');
    expect(byTheManual?.compared).toBe(sum(marked.map(({ probes }) => probes.length)));
    for (const { title, probes } of marked)
      expect(result.report.departures).toContainEqual(
        expect.objectContaining({
          what: title,
          count: probes.length,
          section: expect.stringMatching(/^Arm (IHI 0070|DDI 0487), [D\d]/) as string,
        }),
      );
  });

  test('what else is read otherwise than QEMU answers is nine probes, each of a case that is listed', () => {
    const otherwise = result.report.kinds.find(({ kind }) => kind === 'probes where we read the manual otherwise');
    expect(otherwise).toMatchObject({ compared: 9, agreed: 9 });
    const marked = cases().filter(({ architecture }) => architecture?.differs);
    const listed = result.report.departures.filter(({ what }) => /^(s1-|stage2-|nested)/.test(what));
    expect(listed.map(({ what }) => what).filter((what) => !marked.some(({ title }) => title === what))).toEqual([
      'nested.json: n-cd-ipa-unmapped',
      'nested.json: n-cd-s2-af0',
      'nested.json: n-table0-ipa-unmapped',
      'nested.json: n-table0-s2-af0',
      'nested.json: n-s2ttb-no-memory',
      's1-ste.json: ste-s1cdmax1-s1dss0',
      's1-strtab.json: strtab2-split6-span12',
    ]);
  });

  test('every invalidation that removed an entry in QEMU removes ours', () => {
    const invalidations = [...raw.values()].flatMap(({ runs = [] }) => runs.flatMap((run) => run.cases));
    const removed = invalidations.filter((one) => !(one.stale_entry_used ?? one.old_configuration_used));
    expect([invalidations.length, removed.length]).toEqual([174, 80]);
    const kind = (name: string) => result.report.kinds.find((one) => one.kind === name);
    expect(kind('entries removed by matching commands')).toMatchObject({ compared: 80, agreed: 80 });
    expect(kind('answers before invalidation')).toMatchObject({ compared: 174, agreed: 174 });
    expect(kind('answers after other commands')).toMatchObject({ compared: 94, agreed: 94 });
  });
}

describe('walks, as they come with the repository', () => {
  agreesOnEverything(() => unpackFixture('walks'));

  test('one flipped address is found by its case', () => {
    const dir = unpackFixture('walks');
    const path = join(dir, 's1-af.json');
    const text = readFileSync(path, 'utf8');
    const fault = '"event": ["0x1000000012", "0x20000000000", "0x12345678"';
    expect(text).toContain(fault);
    writeFileSync(path, text.replace(fault, fault.replace('45678', '45679')));
    const { status, report } = replay(dir);
    expect(status).toBe(1);
    expect(report.firstDisagreement).toMatchObject({ file: 's1-af.json', place: '4k-af0: write 0x12345678' });
    expect(irqkit('replay', dir).stdout).toContain('first disagreement at s1-af.json: stage 1 probes: 4k-af0: write');
  });

  test('the printed report lists departures, and ends in the sums', () => {
    const { stdout } = irqkit('replay', unpackFixture('walks'));
    expect(stdout).toContain('Where the recording departs from the manual');
    expect(stdout).toMatch(
      /^s1-strtab\.json: strtab2-split6-span4 +2 +Arm IHI 0070, 7\.3\.3 "C_BAD_STREAMID" +out of the L2 table/m,
    );
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('908 of 908 agree, 0 inputs were given');
  });

  test('a truncated file is named with its place, on one line', () => {
    const dir = unpackFixture('walks');
    const path = join(dir, 'nested.json');
    writeFileSync(path, readFileSync(path, 'utf8').slice(0, 70_000));
    const { status, stdout, stderr } = irqkit('replay', dir);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toBe(`irqkit: ${path}:1:70001: not JSON\n`);
  });

  test('a field that is not what it must be is named with its place', () => {
    const dir = unpackFixture('walks');
    const path = join(dir, 's1-af.json');
    writeFileSync(path, readFileSync(path, 'utf8').replace('"op": "write"', '"op": "wrote"'));
    const { status, stderr } = irqkit('replay', dir);
    expect(status).toBe(2);
    expect(stderr).toBe(`irqkit: ${path}: cases[0].probes[1]: "op" is "wrote", not one of read, write\n`);
  });
});

describeWithShared('walks of the shared data', () => {
  agreesOnEverything(() => sharedPath('data', 'walks'));
});
