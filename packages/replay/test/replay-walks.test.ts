// SPDX-License-Identifier: Apache-2.0
import { readWalks, replayDirectory, replayWalks } from '@irqkit/replay';
import type { ReplayReport } from '@irqkit/replay';
import { captureDir } from './capture-dir.js';
import {
  CD,
  READ,
  STE,
  TABLES,
  WRITE,
  invalidation,
  oracle,
  stage2File,
  stage2Ste,
  walkCase,
  walkFile,
} from './walk-files.js';

function replay(file: object): ReplayReport {
  return replayWalks(readWalks(captureDir({ 'a.json': file })));
}

function replayCase(over: object): ReplayReport {
  return replay(walkFile([walkCase(over)]));
}

function counts(report: ReplayReport): object {
  const compared = report.kinds.filter((kind) => kind.compared > 0);
  return Object.fromEntries(compared.map(({ kind, compared: all, agreed }) => [kind, [agreed, all]]));
}

const translationFault = { op: 'read', iova: '0x12346000', result: 'fault' };
/** F_TRANSLATION of stage 1, a read, CLASS IN. */
const record = ['0x1000000010', '0x20800000000', '0x12346000', '0x0'];

describe('walks that agree', () => {
  test('translations with their permission, faults, and what is aborted without a record', () => {
    const notRecorded = walkCase({
      cd: ['0x1c204f5903510', ...CD.slice(1)],
      probes: [{ op: 'read', iova: '0x12346000', result: 'fault-not-recorded' }],
    });
    const probes = [READ, WRITE, { ...translationFault, event: record }];
    const aborted = walkCase({ ste: ['0x1', ...STE.slice(1)], probes: [{ ...READ, result: 'abort' }] });
    const bypass = walkCase({
      ste: ['0x9', ...STE.slice(1)],
      probes: [{ ...READ, result: 'bypass', pa: '0x12345678' }],
    });
    const disabled = walkCase({
      registers: { CR0: '0xc', GBPA: '0x0' },
      probes: [{ ...READ, result: 'smmu-disabled', pa: '0x12345678' }],
    });
    const report = replay(walkFile([walkCase({ probes }), notRecorded, aborted, bypass, disabled]));
    expect(report.firstDisagreement).toBeUndefined();
    expect(counts(report)).toEqual({ 'stage 1 probes': [7, 7] });
    expect([report.departures, report.notCovered, report.given]).toEqual([[], [], []]);
  });

  test('a read-only page lets a read through, and says so', () => {
    const ram = { ...TABLES, '0x42003a28': '0x460107c3' };
    expect(replayCase({ ram, probes: [{ ...READ, perm: 'r' }] }).agrees).toBe(true);
    expect(replayCase({ ram, probes: [READ] }).firstDisagreement).toMatchObject({ got: '-> 0x46010678 r' });
  });

  test('addresses of all 64 bits are asked for', () => {
    const high = { op: 'read', iova: '0xffff800012345678', result: 'fault' };
    const event = ['0x1000000010', '0x20800000000', '0xffff800012345678', '0x0'];
    expect(replayCase({ probes: [{ ...high, event }] }).firstDisagreement).toBeUndefined();
  });
});

test.each([
  ['an address', [{ ...READ, pa: '0x46011678' }], '-> 0x46011678 rw', '-> 0x46010678 rw'],
  ['a permission', [{ ...READ, perm: 'r' }], '-> 0x46010678 r', '-> 0x46010678 rw'],
  ['a fault that is none', [{ ...READ, result: 'abort' }], 'aborted, no event', '-> 0x46010678'],
  [
    'the type of an event',
    [{ ...translationFault, event: ['0x1000000013', ...record.slice(1)] }],
    'F_PERMISSION, StreamID 0x10, read, stage 1, CLASS IN, input 0x12346000',
    'F_TRANSLATION, StreamID 0x10, read, stage 1, CLASS IN, input 0x12346000',
  ],
  [
    'its class',
    [{ ...translationFault, event: [record[0], '0x10800000000', ...record.slice(2)] }],
    'F_TRANSLATION, StreamID 0x10, read, stage 1, CLASS TT, input 0x12346000',
    'F_TRANSLATION, StreamID 0x10, read, stage 1, CLASS IN, input 0x12346000',
  ],
  [
    'its StreamID',
    [{ ...translationFault, event: ['0x1100000010', ...record.slice(1)] }],
    'F_TRANSLATION, StreamID 0x11, read, stage 1, CLASS IN, input 0x12346000',
    'F_TRANSLATION, StreamID 0x10, read, stage 1, CLASS IN, input 0x12346000',
  ],
  [
    'its input address',
    [{ ...translationFault, event: [...record.slice(0, 2), '0x12346008', '0x0'] }],
    'F_TRANSLATION, StreamID 0x10, read, stage 1, CLASS IN, input 0x12346008',
    'F_TRANSLATION, StreamID 0x10, read, stage 1, CLASS IN, input 0x12346000',
  ],
  [
    'a record that must not be',
    [{ ...translationFault, result: 'fault-not-recorded' }],
    'aborted, no event',
    /^F_TRANSLATION/,
  ],
])('%s that differs is found with its file and probe', (_what, probes, expected, got) => {
  const report = replayCase({ probes });
  expect(report.agrees).toBe(false);
  expect(report.firstDisagreement).toMatchObject({ kind: 'stage 1 probes', file: 'a.json', expected });
  expect(report.firstDisagreement?.place).toMatch(/^page: (read|write) 0x/);
  expect(report.firstDisagreement?.got).toMatch(got);
});

describe('where the recorder marks that QEMU departs from the manual', () => {
  const architecture = (expected: string, why = 'reason') => ({ differs: true, why, expected });
  const PRIVILEGED_ONLY = { ...TABLES, '0x42003a28': '0x46010703' };

  test('the named event is what must come, and the case is listed with its section', () => {
    const why = 'AP[1]=0 denies unprivileged access';
    const over = { ram: PRIVILEGED_ONLY, architecture: architecture('F_PERMISSION for read and write', why) };
    const report = replayCase(over);
    expect(counts(report)).toEqual({ 'probes where QEMU departs from the manual': [2, 2] });
    expect(report.departures).toEqual([
      {
        what: 'a.json: page',
        count: 2,
        why: `${why}; by the manual: F_PERMISSION for read and write`,
        section: 'Arm IHI 0070, 13.7 "PCIe permission attribute interpretation"',
      },
    ]);
  });

  test.each([
    ['another event', 'F_ACCESS', 'F_ACCESS, StreamID 0x10, read, input 0x12345678'],
    ['another stage', 'F_PERMISSION s2', 'F_PERMISSION, StreamID 0x10, read, stage 2, input 0x12345678'],
    ['another class', 'F_PERMISSION, CLASS=TT', 'F_PERMISSION, StreamID 0x10, read, CLASS TT, input 0x12345678'],
  ])('%s is a disagreement', (_what, expected, wanted) => {
    const report = replayCase({ ram: PRIVILEGED_ONLY, architecture: architecture(expected) });
    expect(report.firstDisagreement).toMatchObject({ expected: wanted });
  });

  test('a direction that the note leaves out is answered as by QEMU', () => {
    const readOnly = { ...TABLES, '0x42003a28': '0x460107c3' };
    const report = replayCase({ ram: readOnly, architecture: architecture('F_PERMISSION for the write') });
    expect(counts(report)).toEqual({ 'probes where QEMU departs from the manual': [2, 2] });
    expect(replayCase({ architecture: architecture('F_PERMISSION for the write') }).agrees).toBe(false);
  });

  test('an address translates like the one that the note names', () => {
    const probes = [
      { ...READ, pa: '0x46090678' },
      { ...READ, iova: '0x12345670', pa: '0x46010670' },
    ];
    const good = replayCase({ probes, architecture: architecture('translates like 0x12345670') });
    expect(good.firstDisagreement).toMatchObject({ expected: '-> 0x46010670', got: '-> 0x46010678' });
    const same = [READ, { ...READ, iova: '0x12345678' }];
    expect(replayCase({ probes: same, architecture: architecture('translates like 0x12345678') }).agrees).toBe(true);
  });

  test('concatenated tables are looked up in the words of the case', () => {
    // 16 KiB granule, T0SZ 36, SL0 0: level 3 of 2^14 pages in eight tables. Page 0x48d is in the first, 0x148d in the third.
    const ste = stage2Ste('0x40ca02400000007', '0x44000000');
    const ram = { '0x44002468': '0x460107ff', '0x4400a468': '0x460407ff' };
    const probe = { op: 'read', iova: '0x1234678', result: 'ok', pa: '0x46040678', perm: 'rw' };
    const probes = [probe, { ...probe, iova: '0x5234678' }];
    const note = architecture('each table of the concatenation is used', 'masks the concatenated index');
    const report = replay(stage2File(ste, ram, { probes, architecture: note }));
    expect(report.firstDisagreement).toBeUndefined();
    expect(counts(report)).toEqual({ 'probes where QEMU departs from the manual': [2, 2] });
    const [{ section }] = report.departures;
    expect(section).toBe('Arm DDI 0487, D8.2.2 "Concatenated translation tables"');
  });

  test('a fault that must not be recorded is none', () => {
    const cd = ['0x1c204f5903510', ...CD.slice(1)];
    const probes = [{ ...translationFault, event: record }];
    const note = architecture('F_TRANSLATION is not recorded');
    expect(replayCase({ cd, probes, architecture: note }).agrees).toBe(true);
    expect(replayCase({ probes, architecture: note }).firstDisagreement).toMatchObject({
      expected: 'aborted, no event',
    });
  });

  test('a note that names no answer is told as not covered', () => {
    const report = replayCase({ architecture: architecture('something else') });
    expect(report.notCovered).toMatchObject([{ count: 2 }]);
    expect(report.agrees).toBe(true);
  });
});

describe('where we read the manual otherwise, and the recorder does not say so', () => {
  const OTHERWISE = 'probes where we read the manual otherwise';

  test('L1STD.Span above SPLIT + 1 is C_BAD_STREAMID', () => {
    const registers = { STRTAB_BASE: '0x41480000', STRTAB_BASE_CFG: '0x10190' };
    const report = replayCase({ registers, ram: { ...TABLES, '0x41480000': '0x4140000c' } });
    expect(counts(report)).toEqual({ [OTHERWISE]: [2, 2] });
    expect(report.departures).toMatchObject([{ count: 2, section: 'Arm IHI 0070, 7.3.3 "C_BAD_STREAMID"' }]);
    const fits = replayCase({ registers, ram: { ...TABLES, '0x41480000': '0x41400007' } });
    expect(counts(fits)).toEqual({ 'stage 1 probes': [2, 2] });
  });

  test('STE.S1CDMax means nothing where there are no SubstreamIDs', () => {
    const badSte = { op: 'read', iova: '0x12345678', result: 'fault', event: ['0x1000000004', '0x0', '0x0', '0x0'] };
    const report = replayCase({ ste: ['0x80000004143000b', ...STE.slice(1)], probes: [badSte] });
    expect(counts(report)).toEqual({ [OTHERWISE]: [1, 1] });
    const invalid = replayCase({ ste: ['0x0', ...STE.slice(1)], probes: [badSte] });
    expect(counts(invalid)).toEqual({ 'stage 1 probes': [1, 1] });
  });

  test('RnW is of the transaction, also where the fetch of a table faults', () => {
    const ram = { ...TABLES, '0x42001000': '0x30000000003' };
    const event = ['0x100000000b', '0x10800000000', '0x12345678', '0x30000000488'];
    const aborted = { op: 'write', iova: '0x12345678', result: 'fault', event };
    const report = replayCase({ ram, probes: [{ ...aborted, op: 'read' }, aborted] });
    expect(counts(report)).toEqual({ 'stage 1 probes': [1, 1], [OTHERWISE]: [1, 1] });
    expect(report.departures).toMatchObject([
      { section: 'Arm IHI 0070, 7.3.12 "F_WALK_EABT", 7.3.13 "F_TRANSLATION"' },
    ]);
    const input = { ...translationFault, op: 'write', event: record };
    expect(replayCase({ probes: [input] }).agrees).toBe(false);
  });
});

describe('invalidations', () => {
  const matching = invalidation('TLBI_NH_ASID 1', ['0x1000000000011', '0x0'], true);
  const other = invalidation('TLBI_NH_ASID 2', ['0x2000000000011', '0x0'], false);

  test('a matching command removes the entry; another may or may not', () => {
    const report = replay(oracle([matching, other, invalidation('TLBI_NSNH_ALL', ['0x30', '0x0'], true)]));
    expect(report.firstDisagreement).toBeUndefined();
    expect(counts(report)).toEqual({
      'answers before invalidation': [3, 3],
      'entries removed by matching commands': [2, 2],
      'answers after other commands': [1, 1],
      'command errors': [3, 3],
    });
  });

  test('staleness is never required', () => {
    const dropsAll = invalidation('TLBI_NSNH_ALL', ['0x30', '0x0'], false);
    expect(replay(oracle([matching, dropsAll])).agrees).toBe(true);
    // Unless no command brought that answer forth.
    expect(replay(oracle([dropsAll])).firstDisagreement).toMatchObject({
      kind: 'answers after other commands',
      expected: '-> 0x46010678',
      got: '-> 0x46020678',
    });
  });

  test('an entry that stays is a disagreement', () => {
    const kept = invalidation('CMD_SYNC only', ['0x46', '0x0'], true);
    expect(replay(oracle([kept])).firstDisagreement).toMatchObject({
      kind: 'entries removed by matching commands',
      place: 'stage 1, Config 5, s1: CMD_SYNC only',
      expected: '-> 0x46020678',
      got: '-> 0x46010678',
    });
  });

  test('a mapping that goes away faults afterwards', () => {
    const decoded = { name: 'F_TRANSLATION', sid: '0x10', rnw: 0, s2: 0, cls: 'IN', input_addr: '0x12345678' };
    const gone = { changed_word: ['0x42003a28', '0x0'], after: { result: 'fault', decoded } };
    const report = replay(oracle([invalidation('TLBI_NSNH_ALL', ['0x30', '0x0'], true, gone)]));
    expect(report.firstDisagreement).toBeUndefined();
  });

  test('a CD that is replaced leads to other tables once the configuration is dropped', () => {
    const replaced = (command: string, words: readonly string[], removed: boolean) => {
      const {
        changed_word: _word,
        table_set: _set,
        stale_entry_used: _stale,
        ...one
      } = invalidation(command, words, removed) as Record<string, unknown>;
      const pa = removed ? '0x46050678' : '0x46010678';
      return { ...one, change: 'CD replaced', old_configuration_used: !removed, after: { result: 'ok', pa } };
    };
    const cases = [
      replaced('CFGI_CD', ['0x1000000005', '0x1'], true),
      replaced('CFGI_ALL', ['0x4', '0x1f'], true),
      replaced('CFGI_CD other sid', ['0x1800000005', '0x1'], false),
    ];
    const report = replay(oracle(cases));
    expect(report.firstDisagreement).toBeUndefined();
    expect(counts(report)).toMatchObject({ 'entries removed by matching commands': [2, 2] });
  });

  test('a command that QEMU takes and the manual makes illegal is listed', () => {
    const report = replay(oracle([invalidation('TLBI_EL2_ALL', ['0x20', '0x0'], false), matching]));
    expect(report.departures).toEqual([
      {
        what: 'a.json: TLBI_EL2_ALL',
        count: 1,
        why: 'illegal where SMMU_IDR0.Hyp is 0: QEMU takes it',
        section: 'Arm IHI 0070, 4.4.2 "TLB invalidation of stage 1"',
      },
    ]);
    const unexpected = replay(oracle([invalidation('unknown', ['0x7f', '0x0'], false), matching]));
    expect(unexpected.firstDisagreement).toMatchObject({ kind: 'command errors', expected: '0x0', got: '0x1' });
  });
});

test('replayDirectory tells walks from captures', () => {
  expect(replayDirectory(captureDir({ 'a.json': walkFile([walkCase()]) })).kinds[0]).toMatchObject({
    kind: 'stage 1 probes',
    agreed: 2,
  });
});
