// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { CaptureError, readWalks, replayDirectory } from '@irqkit/replay';
import { captureDir } from './capture-dir.js';
import { READ, invalidation, oracle, walkCase, walkFile } from './walk-files.js';

test('a directory of walks is read by file', () => {
  const dir = captureDir({ 'a.json': walkFile([walkCase()]), 'b.json': oracle([]), 'README.md': 'words' });
  const { walks, invalidations } = readWalks(dir);
  expect(walks.map(({ file }) => file)).toEqual(['a.json']);
  expect(invalidations.map(({ file }) => file)).toEqual(['b.json']);
  const [{ registers, cases }] = walks;
  expect(registers).toEqual({ STRTAB_BASE: [0x4140_0000, 0], STRTAB_BASE_CFG: [8, 0], CR0: [13, 0] });
  expect(cases[0].probes[0]).toEqual({
    write: false,
    address: [0x1234_5678, 0],
    result: 'ok',
    pa: 0x4601_0678,
    perm: 'rw',
  });
});

const whole = JSON.stringify(walkFile([walkCase()]));
const fault = { op: 'read', iova: '0x1000', result: 'fault' };

test.each([
  ['a truncated file', whole.slice(0, 200), /:1:201: not JSON$/],
  ['a file cut on its third line', '{\n"idr": {},\n"cases": [', /:3:11: not JSON$/],
  ['an empty file', '', /:1:1: not JSON$/],
  ['a list', '[]', /a\.json: not a JSON object$/],
  ['no silicon', { cases: [] }, /a\.json: idr: not a JSON object$/],
  [
    'silicon of 64 bits',
    walkFile([], { idr: { IDR0: '0x100000000' } }),
    /idr: "IDR0" is .*, not a hexadecimal number of 32/,
  ],
  ['cases that are none', walkFile(['page' as never]), /a\.json: cases\[0\]: not a JSON object$/],
  ['no cases', walkFile([], { cases: 5 }), /a\.json: "cases" is 5, not a list$/],
  ['an STE of seven', walkFile([walkCase({ ste: ['0x0'] })]), /cases\[0\]: "ste" is \["0x0"\], not 8 numbers$/],
  [
    'an STE with a word of letters',
    walkFile([walkCase({ ste: ['0xd', 'x', '0x0', '0x0', '0x0', '0x0', '0x0', '0x0'] })]),
    /cases\[0\]: "ste\[1\]" is "x", not a hexadecimal number of 64 bits$/,
  ],
  [
    'an STE outside RAM',
    walkFile([walkCase({ ste_pa: '0x100' })]),
    /"ste_pa" is "0x100", not an address of the recorded RAM$/,
  ],
  [
    'a word outside RAM',
    walkFile([walkCase({ ram: { '0x50000000': '0x1' } })]),
    /cases\[0\]\.ram: "0x50000000" is no doubleword/,
  ],
  [
    'a word on no boundary',
    walkFile([walkCase({ ram: { '0x42000004': '0x1' } })]),
    /cases\[0\]\.ram: "0x42000004" is no doubleword/,
  ],
  ['an address of letters', walkFile([walkCase({ ram: { here: '0x1' } })]), /cases\[0\]\.ram: "here" is no doubleword/],
  [
    'another direction',
    walkFile([walkCase({ probes: [{ ...READ, op: 'fetch' }] })]),
    /probes\[0\]: "op" is "fetch", not one of read, write$/,
  ],
  [
    'another result',
    walkFile([walkCase({ probes: [{ ...READ, result: 'fine' }] })]),
    /probes\[0\]: "result" is "fine", not one of ok, /,
  ],
  [
    'a translation to nowhere',
    walkFile([walkCase({ probes: [{ ...READ, pa: undefined }] })]),
    /probes\[0\]: "pa" is missing, not a string$/,
  ],
  [
    'another permission',
    walkFile([walkCase({ probes: [READ, { ...READ, perm: 'x' }] })]),
    /probes\[1\]: "perm" is "x", not one of r, w, rw$/,
  ],
  [
    'a fault without a record',
    walkFile([walkCase({ probes: [fault] })]),
    /probes\[0\]: "event" is missing, not a list$/,
  ],
  [
    'a record of three',
    walkFile([walkCase({ probes: [{ ...fault, event: ['0x0', '0x0', '0x0'] }] })]),
    /"event" is .*, not 4 numbers$/,
  ],
  [
    'a register of words',
    walkFile([], { default_registers: { CR0: 'on' } }),
    /default_registers: "CR0" is "on", not a hexadecimal/,
  ],
  [
    'a departure without a reason',
    walkFile([walkCase({ architecture: { differs: true } })]),
    /architecture: "why" is missing/,
  ],
  ['tables of another run', oracle([], { tables: {} }), /a\.json: tables\.1\/config5: not a JSON object$/],
  [
    'an unknown set',
    oracle([invalidation('x', ['0x46', '0x0'], true, { table_set: 's9' })]),
    /runs\[0\]\.cases\[0\]: "table_set" is "s9", not a set/,
  ],
  ['half a command', oracle([invalidation('x', ['0x46'], true)]), /"cmd_words\[0\]" is \["0x46"\], not 2 numbers$/],
  [
    'no staleness',
    oracle([invalidation('x', ['0x46', '0x0'], true, { stale_entry_used: 1 })]),
    /"stale_entry_used" is 1, not true or false$/,
  ],
])('%s is named with its place', (_what, content, message) => {
  const dir = captureDir({ 'a.json': content });
  expect(() => readWalks(dir)).toThrow(message);
  expect(() => readWalks(dir)).toThrow(CaptureError);
  expect(() => readWalks(dir)).toThrow(join(dir, 'a.json'));
});

test('a register that there is not names the case', () => {
  const dir = captureDir({ 'a.json': walkFile([walkCase({ registers: { CR9: '0x1' } })]) });
  expect(() => replayDirectory(dir)).toThrow(`${dir}/a.json: page: CR9 is no register of an SMMUv3`);
});

test('a directory of neither walks nor captures is named as the capture that it is not', () => {
  expect(() => replayDirectory(captureDir({ 'notes.txt': 'none' }))).toThrow(
    /platform\.dtb: no such file or directory$/,
  );
  expect(() => replayDirectory(captureDir({ 'summary.json': {} }))).toThrow(
    /platform\.dtb: no such file or directory$/,
  );
  expect(() => readWalks(captureDir({ 'notes.txt': 'none' }))).toThrow(/no recorded walks: no \.json file$/);
});
