// SPDX-License-Identifier: Apache-2.0
// Capture directories made by hand: a GICv2 with one MSI frame, or what `others` names, and whatever traffic a test names.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeFdt } from '@irqkit/fdt';
import type { FdtNode } from '@irqkit/fdt';

export const REGIONS = [
  ['gicd', '0x8000000', '0x10000'],
  ['gicc', '0x8010000', '0x10000'],
  ['v2m', '0x8020000', '0x1000'],
];

type Value = string | readonly number[];

export function node(
  name: string,
  properties: Readonly<Record<string, Value>>,
  children: readonly FdtNode[] = [],
): FdtNode {
  const entries = Object.entries(properties);
  return { name, properties: entries.map(([key, value]) => ({ name: key, value: bytes(value) })), children };
}

function bytes(value: Value): Uint8Array {
  if (typeof value === 'string') return new TextEncoder().encode(`${value}\0`);
  const view = new DataView(new ArrayBuffer(value.length * 4));
  value.forEach((cell, i) => view.setUint32(i * 4, cell));
  return new Uint8Array(view.buffer);
}

export const cells = { '#address-cells': [2], '#size-cells': [2] };
export const cpu = (id: number) => node(`cpu@${id}`, { device_type: 'cpu', compatible: 'arm,cortex-a72', reg: [id] });

export const PLATFORM = writeFdt({
  version: 17,
  bootCpuid: 0,
  reservations: [],
  root: node('', { ...cells, compatible: 'linux,dummy-virt', 'interrupt-parent': [1] }, [
    node('cpus', { '#address-cells': [1], '#size-cells': [0] }, [cpu(0), cpu(1)]),
    node('memory@40000000', { device_type: 'memory', reg: [0, 0x4000_0000, 0, 0x1000_0000] }),
    node(
      'intc@8000000',
      {
        ...cells,
        compatible: 'arm,cortex-a15-gic',
        reg: [0, 0x800_0000, 0, 0x1_0000, 0, 0x801_0000, 0, 0x1_0000],
        'interrupt-controller': [],
        '#interrupt-cells': [3],
        phandle: [1],
        ranges: [],
      },
      [
        node('v2m@8020000', {
          compatible: 'arm,gic-v2m-frame',
          reg: [0, 0x802_0000, 0, 0x1000],
          'msi-controller': [],
        }),
      ],
    ),
  ]),
});

const scratch = mkdtempSync(join(tmpdir(), 'irqkit-replay-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** The files of a capture; a string or bytes as they are, anything else as JSON. */
export function captureDir(files: Readonly<Record<string, unknown>>): string {
  const dir = mkdtempSync(join(scratch, 'capture-'));
  for (const [name, content] of Object.entries(files)) {
    const raw = typeof content === 'string' || content instanceof Uint8Array;
    writeFileSync(join(dir, name), raw ? content : JSON.stringify(content));
  }
  return dir;
}

/**
 * One line of traffic: `w gicd+0x100/4 0x8000000 cpu 0`, `w its-translater+0x40/4 0x1 cpu -1 devid 16`, `event text`, the JSON
 * of an ITS's event without `n`, or `smmu` and the JSON of an SMMU's.
 */
export type Traffic = readonly string[];

/** A capture of the lines in their order; `n` counts them from 1. */
export function captureOf(traffic: Traffic, others: Readonly<Record<string, unknown>> = {}): string {
  const mmio: string[] = [];
  const events: string[] = [];
  const its: string[] = [];
  const smmu: string[] = [];
  traffic.forEach((line, index) => {
    const n = index + 1;
    const access = /^([rw]) (\S+)\+(0x[0-9a-f]+)\/(\d) (0x[0-9a-f]+) cpu (-?\d+)(?: devid (\d+))?$/.exec(line);
    if (access) {
      const [, op, region, off, size, val, by, devid] = access;
      const source = devid === undefined ? {} : { devid: Number(devid) };
      mmio.push(JSON.stringify({ n, op, region, off, size: Number(size), val, cpu: Number(by), ...source }));
    } else if (line.startsWith('{')) its.push(JSON.stringify({ n, ...(JSON.parse(line) as object) }));
    else if (line.startsWith('smmu {')) smmu.push(JSON.stringify({ n, ...(JSON.parse(line.slice(5)) as object) }));
    else events.push(JSON.stringify({ n, ev: line.split(' ')[0], text: line.slice(line.indexOf(' ') + 1) }));
  });
  return captureDir({
    'platform.dtb': PLATFORM,
    'summary.json': { regions: REGIONS },
    'mmio.jsonl': mmio.map((line) => `${line}\n`).join(''),
    'gic-events.jsonl': events.map((line) => `${line}\n`).join(''),
    ...(its.length > 0 ? { 'its-events.jsonl': its.map((line) => `${line}\n`).join('') } : {}),
    ...(smmu.length > 0 ? { 'smmu-events.jsonl': smmu.map((line) => `${line}\n`).join('') } : {}),
    ...others,
  });
}
