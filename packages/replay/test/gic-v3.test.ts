// SPDX-License-Identifier: Apache-2.0
import { readCapture, replayCapture } from '@irqkit/replay';
import type { ReplayReport } from '@irqkit/replay';
import { captureOf } from './capture-dir.js';
import type { Traffic } from './capture-dir.js';
import { machineFiles } from './gic-v3-machine.js';

// Written as QEMU 7.2 would have traced it. Device 0x10 has two events, of which 1 is LPI 8197 at redistributor 1.
const TRAFFIC: Traffic = [
  'r gicd+0x4/4 0x37a0007 cpu 0',
  'r its+0x8/8 0x1f0001efb1 cpu 0',
  'r its+0x100/8 0x107000000000000 cpu 0',
  'r its+0x108/8 0x407000000000000 cpu 0',
  'w gicd+0x0/4 0x12 cpu 0',
  'r gicr+0x20008/8 0x101000111 cpu 1',
  'w gicr+0x14/4 0x0 cpu 0',
  'w gicr+0x20014/4 0x0 cpu 1',
  'w gicr+0x70/8 0x4104000f cpu 0',
  'w gicr+0x20070/8 0x4104000f cpu 1',
  'w gicr+0x20078/8 0x41060000 cpu 1',
  'w gicr+0x20000/4 0x1 cpu 1',
  'w its+0x100/8 0x8107000041000200 cpu 0',
  'w its+0x108/8 0x8407000041010200 cpu 0',
  'w its+0x80/8 0x8000000041020000 cpu 0',
  'w its+0x0/4 0x1 cpu 0',
  'w its+0x88/4 0x80 cpu 0',
  '{"ev":"process_command","slot":0,"opcode":"0x9"}',
  '{"ev":"cmd","cmd":"MAPC","icid":1,"rdbase":1,"v":1}',
  '{"ev":"cte_write","icid":1,"valid":1,"rdbase":1}',
  '{"ev":"process_command","slot":1,"opcode":"0x8"}',
  '{"ev":"cmd","cmd":"MAPD","devid":16,"size":0,"v":1,"itt_pa":"0x41030000"}',
  '{"ev":"dte_write","deviceid":16,"valid":1,"size":0,"ittaddr":"0x410300"}',
  '{"ev":"process_command","slot":2,"opcode":"0xa"}',
  '{"ev":"cmd","cmd":"MAPTI","devid":16,"eventid":1,"icid":1,"intid":8197}',
  '{"ev":"ite_write","ittaddr":"0x41030000","eventid":1,"valid":1,"inttype":1,"intid":8197,"icid":1}',
  '{"ev":"process_command","slot":3,"opcode":"0xc"}',
  '{"ev":"cmd","cmd":"INV","devid":16,"eventid":1}',
  'r its+0x90/4 0x80 cpu 0',
  // A message that is delivered, and one of an event that is not mapped.
  'w its-translater+0x40/4 0x1 cpu -1 devid 16',
  '{"ev":"dte_read","deviceid":16,"valid":1,"size":0,"ittaddr":"0x41030000"}',
  '{"ev":"msi","devid":16,"eventid":1,"lpi":8197,"icid":1,"valid":1,"rdbase":1}',
  'gicv3_icc_iar1_read GICv3 ICC_IAR1 read cpu 0x1 value 0x2005',
  'gicv3_icc_eoir_write GICv3 ICC_EOIR1 write cpu 0x1 value 0x2005',
  'w its-translater+0x40/4 0x0 cpu 0 devid 16',
  '{"ev":"ite_read","ittaddr":"0x41030000","eventid":0,"valid":0,"inttype":0,"intid":0,"icid":0}',
  '{"ev":"msi","devid":16,"eventid":0,"dropped":"gicv3_its_ite_read"}',
  // SGI 3, a wired line of which the capture has the levels, and the timer, which it lacks.
  'w gicr+0x10080/4 0xffffffff cpu 0',
  'w gicr+0x10100/4 0x8 cpu 0',
  'gicv3_redist_send_sgi GICv3 redistributor 0x0 pending SGI 3',
  'gicv3_icc_iar1_read GICv3 ICC_IAR1 read cpu 0x0 value 0x3',
  'gicv3_icc_eoir_write GICv3 ICC_EOIR1 write cpu 0x0 value 0x3',
  'w gicd+0x84/4 0xffffffff cpu 0',
  'w gicd+0x104/4 0x10 cpu 0',
  'gicv3_dist_set_irq GICv3 distributor interrupt 36 level changed to 1',
  'gicv3_icc_iar1_read GICv3 ICC_IAR1 read cpu 0x0 value 0x24',
  'gicv3_dist_set_irq GICv3 distributor interrupt 36 level changed to 0',
  'gicv3_icc_eoir_write GICv3 ICC_EOIR1 write cpu 0x0 value 0x24',
  'w gicr+0x30080/4 0xffffffff cpu 1',
  'w gicr+0x30100/4 0x8000000 cpu 1',
  'gicv3_icc_iar1_read GICv3 ICC_IAR1 read cpu 0x1 value 0x1b',
  'gicv3_icc_eoir_write GICv3 ICC_EOIR1 write cpu 0x1 value 0x1b',
  'gicv3_icc_iar1_read GICv3 ICC_IAR1 read cpu 0x1 value 0x3ff',
];

function replay(traffic: Traffic, files = machineFiles()): ReplayReport {
  return replayCapture(readCapture(captureOf(traffic, files)));
}

const changed = (from: string, to: string): Traffic => {
  expect(TRAFFIC).toContain(from);
  return TRAFFIC.map((line) => (line === from ? to : line));
};

describe('a GICv3 and its ITS that agree with a capture', () => {
  const report = replay(TRAFFIC);

  test('every kind is counted, and what the capture gave of it', () => {
    expect(report.firstDisagreement).toBeUndefined();
    expect(report.kinds).toEqual([
      { kind: 'GITS reads', compared: 4, agreed: 4, given: 3 },
      { kind: 'ITS commands', compared: 4, agreed: 4, given: 0 },
      { kind: 'ITS command operands', compared: 4, agreed: 4, given: 0 },
      { kind: 'ITS table entries', compared: 5, agreed: 5, given: 0 },
      { kind: 'MSIs', compared: 2, agreed: 2, given: 0 },
      { kind: 'GICD reads', compared: 1, agreed: 1, given: 1 },
      { kind: 'GICR reads', compared: 1, agreed: 1, given: 0 },
      { kind: 'deliveries', compared: 5, agreed: 5, given: 1 },
    ]);
    expect(report.replayed).toEqual({ cpuWrites: 18, deviceWrites: 2 });
    expect(report.notCovered).toEqual([]);
  });

  test('what was given is named with its count', () => {
    expect(report.given.map(({ what, count }) => [what, count])).toEqual([
      ['GITS_TYPER 0x1f0001efb1', 1],
      ['GITS_BASER0 0x107000000000000', 1],
      ['GITS_BASER1 0x407000000000000', 1],
      ['GICD_TYPER 0x37a0007', 1],
      ['ITS commands', 4],
      ['interrupt translation tables', 1],
      ['LPI configuration bytes', 1],
      ['ICC_PMR_EL1 0xf0', 2],
      ['ICC_IGRPEN1_EL1 0x1', 2],
      ['ICC_EOIR1_EL1 writes', 4],
      ['ICC_SGI1R_EL1 writes', 1],
      ['input of INTID 36', 2],
      ['input of INTID 27', 1],
    ]);
  });
});

test.each([
  [
    'a 64-bit register read',
    'r gicr+0x20008/8 0x101000111 cpu 1',
    'r gicr+0x20008/8 0x201000111 cpu 1',
    'GICR reads',
    6,
    '0x201000111',
    '0x101000111',
  ],
  ['a GITS read', 'r its+0x90/4 0x80 cpu 0', 'r its+0x90/4 0x60 cpu 0', 'GITS reads', 29, '0x60', '0x80'],
  [
    'a command',
    '{"ev":"process_command","slot":1,"opcode":"0x8"}',
    '{"ev":"process_command","slot":1,"opcode":"0x9"}',
    'ITS commands',
    21,
    '0x9 in slot 1',
    '0x8 in slot 1',
  ],
  [
    'an operand',
    '{"ev":"cmd","cmd":"MAPTI","devid":16,"eventid":1,"icid":1,"intid":8197}',
    '{"ev":"cmd","cmd":"MAPTI","devid":16,"eventid":1,"icid":1,"intid":8196}',
    'ITS command operands',
    25,
    'MAPTI devid 0x10, eventid 0x1, icid 0x1, intid 0x2004',
    'MAPTI devid 0x10, eventid 0x1, icid 0x1, intid 0x2005',
  ],
  [
    'a table entry',
    '{"ev":"cte_write","icid":1,"valid":1,"rdbase":1}',
    '{"ev":"cte_write","icid":1,"valid":1,"rdbase":0}',
    'ITS table entries',
    20,
    'redistributor 0',
    'redistributor 1',
  ],
  [
    'a message',
    '{"ev":"msi","devid":16,"eventid":1,"lpi":8197,"icid":1,"valid":1,"rdbase":1}',
    '{"ev":"msi","devid":16,"eventid":1,"lpi":8197,"icid":1,"valid":1,"rdbase":0}',
    'MSIs',
    32,
    'DeviceID 0x10, EventID 0x1 -> LPI 8197 at redistributor 0',
    'DeviceID 0x10, EventID 0x1 -> LPI 8197 at redistributor 1',
  ],
  [
    'a drop',
    '{"ev":"msi","devid":16,"eventid":0,"dropped":"gicv3_its_ite_read"}',
    '{"ev":"msi","devid":16,"eventid":0,"lpi":8192,"icid":1,"valid":1,"rdbase":1}',
    'MSIs',
    37,
    'DeviceID 0x10, EventID 0x0 -> LPI 8192 at redistributor 1',
    'DeviceID 0x10, EventID 0x0 -> dropped',
  ],
  [
    'a delivery',
    'gicv3_icc_iar1_read GICv3 ICC_IAR1 read cpu 0x1 value 0x2005',
    'gicv3_icc_iar1_read GICv3 ICC_IAR1 read cpu 0x1 value 0x2006',
    'deliveries',
    33,
    'INTID 8198',
    'INTID 8197',
  ],
])('%s that differs is found at its place', (_what, from, to, kind, n, expected, got) => {
  const report = replay(changed(from, to));
  expect(report.firstDisagreement).toMatchObject({ kind, n, expected, got });
  expect(report.agrees).toBe(false);
});

test('an LPI that is disabled in the snapshot was enabled where it is acknowledged afterwards, not otherwise', () => {
  const early = machineFiles(0xa2);
  const agreed = replay(TRAFFIC, { ...early, 'ram.json': { ...(early['ram.json'] as object), at_n: 1 } });
  expect(agreed.agrees).toBe(true);
  // A snapshot after the INV is the last word.
  expect(replay(TRAFFIC, machineFiles(0xa2)).firstDisagreement).toMatchObject({
    kind: 'deliveries',
    expected: 'INTID 8197',
    got: 'INTID 1023',
  });
});

test('a command that QEMU never ran is a disagreement at the write that queued it', () => {
  const report = replay(TRAFFIC.filter((line) => !/"slot":3|"cmd":"INV"/.test(line)));
  expect(report.firstDisagreement).toMatchObject({ kind: 'ITS commands', n: 17, expected: 'nothing', got: 'INV' });
});

test('without a snapshot, commands are told as not covered', () => {
  const { 'ram.json': _json, 'ram.bin.gz': _bytes, ...files } = machineFiles();
  const commands = replay(TRAFFIC, files).notCovered.find(({ what }) => what === 'ITS commands');
  expect(commands).toMatchObject({ count: 4, why: 'no snapshot of RAM has them' });
});

test.each([
  [
    'a snapshot of fewer bytes',
    { 'ram.json': { at_n: 1, page_size: 4096, pages: ['0x41020000'] } },
    /1 pages are listed/,
  ],
  ['a snapshot without pages', { 'ram.json': { at_n: 1, page_size: 4096 } }, /"pages" is missing, not a list/],
  ['bytes that are not packed', { 'ram.bin.gz': 'text' }, /ram\.bin\.gz: cannot be unpacked$/],
])('%s is named', (_what, files, message) => {
  expect(() => readCapture(captureOf([], { ...machineFiles(), ...files }))).toThrow(message);
});
