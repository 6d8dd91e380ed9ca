// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CaptureError, readCapture } from '@irqkit/replay';
import { captureOf, PLATFORM } from './capture-dir.js';

const LINE = '{"n":1,"op":"r","region":"gicd","off":"0x4","size":4,"val":"0x28","cpu":0}';

function reading(files: Readonly<Record<string, unknown>>): () => unknown {
  const dir = captureOf(['r gicd+0x4/4 0x28 cpu 0'], files);
  return () => readCapture(dir);
}

test('the files are merged by n, whatever their order', () => {
  const dir = captureOf([], {
    'mmio.jsonl': [
      `${LINE}\n`,
      '{"n":4,"op":"w","region":"v2m","off":"0x40","size":4,"val":"0xffffffff00000050","cpu":-1}\n',
    ].join(''),
    'gic-events.jsonl': '{"n":3,"ev":"b","text":"2"}\n{"n":2,"ev":"a","text":"1"}\n',
  });
  const { records, regions } = readCapture(dir);
  expect(records.map(({ n, file, line }) => [n, file, line])).toEqual([
    [1, 'mmio.jsonl', 1],
    [2, 'gic-events.jsonl', 2],
    [3, 'gic-events.jsonl', 1],
    [4, 'mmio.jsonl', 2],
  ]);
  // Sign extension beyond the access is none of the value.
  expect(records[3]).toMatchObject({ op: 'w', region: 'v2m', offset: 0x40, size: 4, lo: 0x50, hi: 0, cpu: -1 });
  expect(regions[2]).toEqual({ name: 'v2m', base: 0x802_0000, sizeBytes: 0x1000 });
});

test('a 64-bit value is kept as two words', () => {
  const dir = captureOf(['w gicd+0x100/8 0xb800000042010000 cpu 0']);
  expect(readCapture(dir).records[0]).toMatchObject({ lo: 0x4201_0000, hi: 0xb800_0000 });
});

test.each([
  ['not JSON', `${LINE}\n{"n":2,\n`, /mmio\.jsonl:2: not JSON$/],
  ['no object', '[1]\n', /mmio\.jsonl:1: not a JSON object$/],
  ['no n', LINE.replace('"n":1,', ''), /mmio\.jsonl:1: "n" is missing, not an integer$/],
  ['another op', LINE.replace('"r"', '"x"'), /mmio\.jsonl:1: "op" is "x", not "r" or "w"$/],
  ['a size of 3', LINE.replace('"size":4', '"size":3'), /mmio\.jsonl:1: "size" is 3, not 1, 2, 4 or 8$/],
  ['an offset in decimal', LINE.replace('"0x4"', '"4"'), /mmio\.jsonl:1: "off" is "4", not a hexadecimal number/],
  ['65 bits', LINE.replace('"0x28"', '"0x10000000000000000"'), /mmio\.jsonl:1: "val" is "0x1.*, not a hexadecimal/],
  ['an unknown region', LINE.replace('gicd', 'its'), /mmio\.jsonl:1: "region" is "its", not a region of summary/],
  ['a processor in words', LINE.replace('"cpu":0', '"cpu":"0"'), /mmio\.jsonl:1: "cpu" is "0", not an integer$/],
])('a line with %s is named', (_what, mmio, message) => {
  expect(reading({ 'mmio.jsonl': mmio })).toThrow(message);
});

test.each(['mmio.jsonl', 'gic-events.jsonl', 'platform.dtb', 'summary.json'])('%s must be there', (file) => {
  const dir = captureOf([]);
  rmSync(join(dir, file));
  expect(() => readCapture(dir)).toThrow(`${join(dir, file)}: no such file or directory`);
});

test.each([
  ['truncated tree', { 'platform.dtb': PLATFORM.subarray(0, 200) }, /platform\.dtb: /],
  ['summary without regions', { 'summary.json': {} }, /summary\.json: "regions" is missing/],
  ['malformed region', { 'summary.json': { regions: [['gicd']] } }, /summary\.json: region \["gicd"\] is not/],
])('a %s is named', (_what, files, message) => {
  const read = reading(files);
  expect(read).toThrow(message);
  expect(read).toThrow(CaptureError);
});

test('a directory that is none, and a directory in place of a file', () => {
  const dir = captureOf([]);
  expect(() => readCapture(join(dir, 'nowhere'))).toThrow(/nowhere: no such file or directory$/);
  expect(() => readCapture(join(dir, 'mmio.jsonl'))).toThrow(/mmio\.jsonl: not a directory$/);
  rmSync(join(dir, 'mmio.jsonl'));
  mkdirSync(join(dir, 'mmio.jsonl'));
  expect(() => readCapture(dir)).toThrow(/mmio\.jsonl: illegal operation on a directory$/);
});
