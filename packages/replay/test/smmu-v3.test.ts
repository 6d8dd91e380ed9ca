// SPDX-License-Identifier: Apache-2.0
import { readCapture, replayCapture } from '@irqkit/replay';
import type { ReplayReport } from '@irqkit/replay';
import { captureOf } from './capture-dir.js';
import type { Traffic } from './capture-dir.js';
import { machineFiles, mappings } from './smmu-machine.js';

const smmu = (event: string, fields: object = {}) => `smmu ${JSON.stringify({ ev: event, ...fields })}`;
const pte = (addr: string, val: string) => smmu('get_pte', { addr, val });
const went = (iova: string, pa: string, perm: string) => smmu('translate_success', { sid: 16, iova, pa, perm });

// Written as QEMU 7.2 would have traced it: 0x12345678 goes through, 0x12346ffc may only be read, 0x12347000 is not mapped.
const TRAFFIC: Traffic = [
  'r smmu+0x0/4 0xd44101a cpu 0',
  'r smmu+0x4/4 0x2730010 cpu 0',
  'r smmu+0x14/4 0x74 cpu 0',
  'w smmu+0x2c/4 0x6 cpu 0',
  'w smmu+0x80/8 0x4000000041000000 cpu 0',
  'w smmu+0x88/4 0x5 cpu 0',
  'w smmu+0x90/8 0x4000000041010004 cpu 0',
  'w smmu+0x98/4 0x0 cpu 0',
  'w smmu+0x9c/4 0x0 cpu 0',
  'w smmu+0x20/4 0x8 cpu 0',
  'r smmu+0x24/4 0x8 cpu 0',
  'w smmu+0x98/4 0x2 cpu 0',
  smmu('cmdq_consume', { prod: '2', cons: '0' }),
  smmu('cmdq_opcode', { cmd: 'SMMU_CMD_CFGI_STE_RANGE' }),
  smmu('cmdq_cfgi_ste_range', { start: '0x0', end: '0xffffffff' }),
  smmu('cmdq_consume', { prod: '2', cons: '1' }),
  smmu('cmdq_opcode', { cmd: 'SMMU_CMD_SYNC' }),
  smmu('cmdq_consume_out', { prod: '2', cons: '2' }),
  'r smmu+0x9c/4 0x2 cpu 0',
  'w smmu+0xa0/8 0x4000000041011004 cpu 0',
  'w smmu+0x50/4 0x5 cpu 0',
  'w smmu+0x20/4 0xd cpu 0',
  'w smmu+0x98/4 0x4 cpu 1',
  smmu('cmdq_consume', { prod: '4', cons: '2' }),
  smmu('cmdq_opcode', { cmd: 'SMMU_CMD_CFGI_STE' }),
  smmu('cmdq_cfgi_ste', { streamid: '0x10' }),
  smmu('cmdq_consume', { prod: '4', cons: '3' }),
  smmu('cmdq_opcode', { cmd: 'SMMU_CMD_PREFETCH_CONFIG' }),
  smmu('cmdq_consume_out', { prod: '4', cons: '4' }),
  smmu('config_cache_miss', { sid: '0x10' }),
  smmu('find_ste', { sid: '0x10' }),
  smmu('get_ste', { addr: '0x41000400' }),
  smmu('get_cd', { addr: '0x41001000' }),
  smmu('decode_cd_tt', { text: 'TT[0]:tsz:16 ttb:0x41002000 granule_sz:12 had:0' }),
  pte('0x41002000', '0x41003003'),
  pte('0x41003000', '0x41004003'),
  pte('0x41004488', '0x41005003'),
  pte('0x41005a28', '0x46010743'),
  went('0x12345678', '0x46010678', 'rw'),
  pte('0x41005a30', '0x460207c3'),
  went('0x12346ffc', '0x46020ffc', 'r'),
  // The fault's interrupt: SPI 74, of which the GIC tells the processor.
  'w gicd+0x0/4 0x1 cpu 0',
  'w gicd+0xc18/4 0x200000 cpu 0',
  'w gicd+0x86a/1 0x1 cpu 0',
  'w gicd+0x10c/4 0x400 cpu 0',
  'w gicc+0x4/4 0xff cpu 0',
  'w gicc+0x0/4 0x1 cpu 0',
  pte('0x41005a38', '0x0'),
  smmu('record_event', { text: 'SMMU_EVT_F_TRANSLATION sid=0x10' }),
  smmu('trigger_irq', { irq: '0' }),
  'gic_set_irq irq 106 level 1 cpumask 0xff target 0x1',
  'gic_set_irq irq 106 level 0 cpumask 0xff target 0x1',
  'gic_acknowledge_irq cpu 0 acknowledged irq 106',
  'r gicc+0xc/4 0x6a cpu 0',
  'r smmu+0x100a8/4 0x1 cpu 0',
  'w smmu+0x100ac/4 0x1 cpu 0',
  'w smmu+0x98/4 0x6 cpu 0',
  smmu('cmdq_consume', { prod: '6', cons: '4' }),
  smmu('cmdq_opcode', { cmd: 'SMMU_CMD_TLBI_NH_VA' }),
  smmu('s1_range_inval', { vmid: '0', asid: '1', addr: '0x12346000', tg: '1', num_pages: '0x2', ttl: '3', leaf: '1' }),
  smmu('s1_range_inval', { vmid: '0', asid: '1', addr: '0x12348000', tg: '1', num_pages: '0x1', ttl: '3', leaf: '1' }),
  smmu('cmdq_consume', { prod: '6', cons: '5' }),
  smmu('cmdq_opcode', { cmd: 'SMMU_CMD_TLBI_NH_ASID' }),
  smmu('cmdq_tlbi_nh_asid', { asid: '1' }),
  smmu('find_ste', { sid: '0x1' }),
  smmu('get_ste', { addr: '0x41000040' }),
  smmu('translate_abort', { text: 'smmuv3-iommu-memory-region-0 sid=0x1 abort on iova:0x1000 is_write=1' }),
  'r smmu+0x60/4 0x0 cpu 0',
];

function replay(traffic: Traffic, files = machineFiles()): ReplayReport {
  return replayCapture(readCapture(captureOf(traffic, files)));
}

const changed = (from: string, to: string): Traffic => {
  expect(TRAFFIC).toContain(from);
  return TRAFFIC.map((line) => (line === from ? to : line));
};

describe('an SMMUv3 that agrees with a capture', () => {
  const report = replay(TRAFFIC);
  const kind = (name: string) => report.kinds.find((one) => one.kind === name);
  const all = (count: number) => ({ compared: count, agreed: count });

  test('every kind is counted', () => {
    expect(report.firstDisagreement).toBeUndefined();
    expect(kind('SMMU reads')).toMatchObject({ ...all(7), given: 3 });
    expect(kind('SMMU commands')).toMatchObject(all(6));
    expect(kind('SMMU command operands')).toMatchObject(all(4));
    expect(kind('STE addresses')).toMatchObject(all(2));
    expect(kind('CD addresses')).toMatchObject(all(1));
    expect(kind('CDs decoded')).toMatchObject(all(1));
    expect(kind('SMMU translations')).toMatchObject(all(3));
    expect(kind('SMMU fault records')).toMatchObject(all(1));
    expect(kind('translations from RAM alone')).toMatchObject(all(2));
  });

  test('what was given, and what was left out, is named with its count', () => {
    expect(report.given.map(({ what, count }) => [what, count])).toEqual([
      ['IDR0 0xd44101a', 1],
      ['IDR1 0x2730010', 1],
      ['IDR5 0x74', 1],
      ['SMMU commands', 6],
      ['stream table entries', 2],
      ['context descriptors', 1],
      ['page table descriptors', 6],
    ]);
    expect(report.notCovered.map(({ what, count }) => [what, count])).toEqual([
      ['smmu-events.jsonl: config_cache_miss', 1],
      ['SMMU command operands', 1],
    ]);
  });

  test("QEMU's CLASS is listed with the section that wants another", () => {
    expect(report.departures).toMatchObject([
      { what: 'CLASS of F_TRANSLATION', count: 1, section: 'Arm IHI 0070, 7.3.13 "F_TRANSLATION"' },
    ]);
  });

  test("the fault's interrupt comes from the model, not from the capture", () => {
    expect(kind('deliveries')).toEqual({ kind: 'deliveries', compared: 1, agreed: 1, given: 0 });
    const masked = replay(changed('w smmu+0x50/4 0x5 cpu 0', 'w smmu+0x50/4 0x1 cpu 0'));
    expect(masked.firstDisagreement).toMatchObject({ kind: 'GICC reads', expected: '0x6a', got: '0x3ff' });
  });
});

test.each([
  ['a register read', 'r smmu+0x100a8/4 0x1 cpu 0', 'r smmu+0x100a8/4 0x2 cpu 0', 'SMMU reads', '0x2', '0x1'],
  [
    'a command',
    smmu('cmdq_opcode', { cmd: 'SMMU_CMD_CFGI_STE' }),
    smmu('cmdq_opcode', { cmd: 'SMMU_CMD_CFGI_CD' }),
    'SMMU commands',
    'CMD_CFGI_CD in slot 2',
    'CMD_CFGI_STE in slot 2',
  ],
  [
    'a slot',
    smmu('cmdq_consume', { prod: '4', cons: '3' }),
    smmu('cmdq_consume', { prod: '4', cons: '2' }),
    'SMMU commands',
    'CMD_PREFETCH_CONFIG in slot 2',
    'CMD_PREFETCH_CONFIG in slot 3',
  ],
  [
    'an operand',
    smmu('cmdq_cfgi_ste', { streamid: '0x10' }),
    smmu('cmdq_cfgi_ste', { streamid: '0x11' }),
    'SMMU command operands',
    'StreamID 0x11',
    'StreamID 0x10',
  ],
  [
    'the range of an invalidation',
    smmu('s1_range_inval', {
      vmid: '0',
      asid: '1',
      addr: '0x12348000',
      tg: '1',
      num_pages: '0x1',
      ttl: '3',
      leaf: '1',
    }),
    smmu('s1_range_inval', {
      vmid: '0',
      asid: '1',
      addr: '0x12348000',
      tg: '1',
      num_pages: '0x2',
      ttl: '3',
      leaf: '1',
    }),
    'SMMU command operands',
    'VMID 0, ASID 1, 0x12346000, TG 1, 4 pages, TTL 3, Leaf 1',
    'VMID 0, ASID 1, 0x12346000, TG 1, 3 pages, TTL 3, Leaf 1',
  ],
  [
    'the address of an STE',
    smmu('get_ste', { addr: '0x41000400' }),
    smmu('get_ste', { addr: '0x41000440' }),
    'STE addresses',
    '0x41000440',
    '0x41000400',
  ],
  [
    'the address of a CD',
    smmu('get_cd', { addr: '0x41001000' }),
    smmu('get_cd', { addr: '0x41001040' }),
    'CD addresses',
    '0x41001040',
    '0x41001000',
  ],
  [
    'a field of a CD',
    smmu('decode_cd_tt', { text: 'TT[0]:tsz:16 ttb:0x41002000 granule_sz:12 had:0' }),
    smmu('decode_cd_tt', { text: 'TT[0]:tsz:25 ttb:0x41002000 granule_sz:12 had:0' }),
    'CDs decoded',
    'TSZ 25, TTB 0x41002000, granule 2^12, HAD 0',
    'TSZ 16, TTB 0x41002000, granule 2^12, HAD 0',
  ],
  [
    'a physical address',
    went('0x12345678', '0x46010678', 'rw'),
    went('0x12345678', '0x46011678', 'rw'),
    'SMMU translations',
    '-> 0x46011678 rw',
    '-> 0x46010678 rw',
  ],
  [
    'a permission',
    went('0x12346ffc', '0x46020ffc', 'r'),
    went('0x12346ffc', '0x46020ffc', 'rw'),
    'SMMU translations',
    '-> 0x46020ffc rw',
    '-> 0x46020ffc r',
  ],
  [
    'a descriptor',
    pte('0x41005a28', '0x46010743'),
    pte('0x41005a28', '0x46030743'),
    'SMMU translations',
    '-> 0x46010678 rw',
    '-> 0x46030678 rw',
  ],
])('%s that differs is found at its place', (_what, from, to, kind, expected, got) => {
  const report = replay(changed(from, to));
  expect(report.firstDisagreement).toMatchObject({ kind, expected, got });
  expect(report.agrees).toBe(false);
});

test('a fault that the model does not make is a disagreement', () => {
  const report = replay(changed(pte('0x41005a38', '0x0'), pte('0x41005a38', '0x46030743')));
  expect(report.firstDisagreement).toMatchObject({
    kind: 'SMMU fault records',
    expected: 'F_TRANSLATION, StreamID 0x10, write, stage 1, input 0x12347000',
    got: 'no record',
  });
});

test('a fault whose record no snapshot has is told as not covered', () => {
  const fault = smmu('record_event', { text: 'SMMU_EVT_F_TRANSLATION sid=0x10' });
  const other = smmu('record_event', { text: 'SMMU_EVT_F_PERMISSION sid=0x10' });
  const records = replay(changed(fault, other)).notCovered.find(({ what }) => what === 'SMMU fault records');
  expect(records).toMatchObject({ count: 1, why: 'no snapshot of RAM has the record' });
});

test('a command that QEMU never ran is a disagreement at the write that queued it', () => {
  const report = replay(TRAFFIC.filter((line) => !/NH_ASID|nh_asid/.test(line)));
  expect(report.firstDisagreement).toMatchObject({
    kind: 'SMMU commands',
    expected: 'nothing',
    got: 'CMD_TLBI_NH_ASID',
  });
});

describe('translations from RAM alone', () => {
  const standing = (tables: unknown) => replay(TRAFFIC, { ...machineFiles(), 'smmu-tables.json': tables });

  test('need a mapping that still stands: what does not is counted', () => {
    const moved = standing(mappings('0x46090743'));
    expect(moved.agrees).toBe(true);
    expect(moved.kinds.find(({ kind }) => kind === 'translations from RAM alone')).toMatchObject({ compared: 1 });
    const gone = standing([{ sid: '0x10', leaves: [] }]);
    const why = 'no longer mapped at the snapshot';
    expect(gone.notCovered.find((one) => one.why === why)).toMatchObject({ count: 2 });
  });

  test('come from the snapshot and from nothing that QEMU read before', () => {
    const { 'ram.json': ram, ...files } = machineFiles();
    const early = replay(TRAFFIC, { ...files, 'ram.json': { ...(ram as object), at_n: 1 } });
    // Nothing was programmed by then: every access goes through untouched.
    expect(early.firstDisagreement).toMatchObject({
      kind: 'translations from RAM alone',
      expected: '-> 0x46010678 rw',
      got: '-> 0x12345678 rw',
    });
  });

  test('are told as not covered without a list of what is mapped', () => {
    const { 'smmu-tables.json': _tables, ...files } = machineFiles();
    expect(replay(TRAFFIC, files).notCovered).toContainEqual({
      what: 'translations from RAM alone',
      count: 2,
      why: 'no snapshot with a list of what it maps',
    });
  });
});

test.each([
  ['a list of mappings that is none', { 'smmu-tables.json': {} }, /smmu-tables\.json: not a list of streams$/],
  [
    'a stream without a number',
    { 'smmu-tables.json': [{}] },
    /smmu-tables\.json: \[0\]: "sid" is missing, not a string$/,
  ],
  [
    'a leaf of an odd size',
    { 'smmu-tables.json': [{ sid: '0x1', leaves: [{ iova: '0x0', desc: '0x0', bits: 3 }] }] },
    /smmu-tables\.json: \[0\]\.leaves\[0\]: "bits" is 3, not the size of a page or block$/,
  ],
  ['truncated mappings', { 'smmu-tables.json': '[\n{"sid":"0x1",' }, /smmu-tables\.json:2:14: not JSON$/],
])('%s is named', (_what, files, message) => {
  expect(() => readCapture(captureOf([], { ...machineFiles(), ...files }))).toThrow(message);
});

test.each([
  ['get_pte', { addr: '0x41005a28' }, /smmu-events\.jsonl:1: "val" is missing, not a string$/],
  ['find_ste', { sid: 16 }, /smmu-events\.jsonl:1: "sid" is 16, not a string$/],
  ['translate_success', { sid: '16' }, /smmu-events\.jsonl:1: "sid" is "16", not an integer$/],
  ['get_ste', { addr: '0xfff0000000000000' }, /smmu-events\.jsonl:1: "addr" is .*, not an address below 2\^52$/],
])('a malformed %s names its line', (event, fields, message) => {
  expect(() => replay([smmu(event, fields)])).toThrow(message);
});
