// SPDX-License-Identifier: Apache-2.0
// A capture directory: mmio.jsonl, gic-events.jsonl and further *-events.jsonl, platform.dtb, summary.json, snapshots of
// RAM, and smmu-tables*.json beside them.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Firmware } from '@irqkit/core';
import { firmwareFromFdt } from '@irqkit/fdt';
import { CaptureError } from './capture-error.js';
import type { Capture, CapturedAccess, CapturedEvent, CapturedRegion } from './capture.js';
import { jsonFile, jsonLines, JsonRecord } from './json-lines.js';
import { filesOf, readFile } from './read-file.js';
import { snapshotIn } from './ram-snapshot.js';
import type { RamSnapshot } from './ram-snapshot.js';
import { SmmuTables, streamIn } from './smmu-tables.js';

const EVENTS = /-events\.jsonl$/;
const GIC_EVENTS = 'gic-events.jsonl';
const SNAPSHOTS = /^ram(-\d+)?\.json$/;

/**
 * Reads a whole capture.
 * @throws CaptureError for what is missing or malformed, with file and line
 */
export function readCapture(dir: string): Capture {
  const names = filesOf(dir);
  const eventFiles = [...new Set([GIC_EVENTS, ...names.filter((name) => EVENTS.test(name))])];
  const firmware = readFirmware(join(dir, 'platform.dtb'));
  const regions = readRegions(join(dir, 'summary.json'));
  const known = new Set(regions.map(({ name }) => name));
  const accesses = lines(dir, 'mmio.jsonl').map(({ line, record }) => access(line, record, known));
  const events = eventFiles.flatMap((file) => lines(dir, file).map(({ line, record }) => event(file, line, record)));
  const records = [...accesses, ...events].sort((a, b) => a.n - b.n);
  const taken = names.filter((name) => SNAPSHOTS.test(name)).map((name) => [name, snapshot(dir, name)] as const);
  const smmuTables = taken.flatMap(([name, { n }]) => tablesOf(dir, name.replace('ram', 'smmu-tables'), n));
  const snapshots = taken.map(([, one]) => one).sort((a, b) => a.n - b.n);
  return { dir, firmware, regions, records, snapshots, smmuTables: smmuTables.sort((a, b) => a.n - b.n) };
}

function lines(dir: string, file: string): ReturnType<typeof jsonLines> {
  const path = join(dir, file);
  return jsonLines(path, readFile(path).toString('utf8'));
}

function access(line: number, record: JsonRecord, regions: ReadonlySet<string>): CapturedAccess {
  const op = record.string('op');
  if (op !== 'r' && op !== 'w') throw record.wrong('op', '"r" or "w"');
  const size = record.integer('size');
  if (![1, 2, 4, 8].includes(size)) throw record.wrong('size', '1, 2, 4 or 8');
  const region = record.string('region');
  if (!regions.has(region)) throw record.wrong('region', 'a region of summary.json');
  const [offset] = record.words('off');
  const [lo, hi] = record.words('val');
  return {
    n: record.integer('n'),
    file: 'mmio.jsonl',
    line,
    op,
    region,
    offset,
    size,
    // QEMU prints values sign-extended beyond the access.
    lo: size < 4 ? lo % 2 ** (8 * size) : lo,
    hi: size === 8 ? hi : 0,
    cpu: record.integer('cpu'),
    deviceId: record.has('devid') ? record.integer('devid') : -1,
  };
}

function event(file: string, line: number, record: JsonRecord): CapturedEvent {
  const text = record.has('text') ? record.string('text') : '';
  return { n: record.integer('n'), file, line, event: record.string('ev'), text, fields: record.fields };
}

function snapshot(dir: string, name: string): RamSnapshot {
  const path = join(dir, name);
  const record = new JsonRecord(path, jsonFile(path, readFile(path).toString('utf8')));
  const pages = join(dir, name.replace(/json$/, 'bin.gz'));
  return snapshotIn(record, () => gunzip(pages));
}

function tablesOf(dir: string, name: string, n: number): SmmuTables[] {
  const path = join(dir, name);
  if (!existsSync(path)) return [];
  const streams = jsonFile(path, readFile(path).toString('utf8'));
  if (!Array.isArray(streams)) throw new CaptureError(path, 'not a list of streams');
  const entries = streams.map((stream, i) => streamIn(new JsonRecord(path, stream, `[${i}]`)));
  return [new SmmuTables(n, new Map(entries))];
}

function gunzip(path: string): Uint8Array {
  const packed = readFile(path);
  try {
    return gunzipSync(packed);
  } catch (error) {
    throw new CaptureError(path, 'cannot be unpacked', { cause: error });
  }
}

function readRegions(path: string): CapturedRegion[] {
  const summary = new JsonRecord(path, jsonFile(path, readFile(path).toString('utf8')));
  const regions = summary.get('regions');
  if (!Array.isArray(regions)) throw summary.wrong('regions', 'a list of [name, base, size]');
  return regions.map((entry: unknown) => {
    const [name, base, size] = Array.isArray(entry) ? (entry as unknown[]) : [];
    const numbers = [Number(base), Number(size)];
    if (typeof name !== 'string' || !numbers.every((value) => Number.isSafeInteger(value) && value >= 0))
      throw new CaptureError(path, `region ${JSON.stringify(entry)} is not [name, base, size]`);
    return { name, base: numbers[0], sizeBytes: numbers[1] };
  });
}

function readFirmware(path: string): Firmware {
  const blob = readFile(path);
  try {
    return firmwareFromFdt(blob);
  } catch (error) {
    throw new CaptureError(path, error instanceof Error ? error.message : String(error), { cause: error });
  }
}
