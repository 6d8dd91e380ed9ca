// SPDX-License-Identifier: Apache-2.0
// A GICv2 and an SMMUv3 with one stream, and a snapshot of its RAM: stream table, CD, page tables, commands, one fault record.

import { gzipSync } from 'node:zlib';
import { writeFdt } from '@irqkit/fdt';
import { cells, cpu, node } from './capture-dir.js';

const BASE = 0x4100_0000;
const STREAM_TABLE = 0;
const CD = 0x1000;
const TABLES = 0x2000;
const COMMAND_QUEUE = 0x1_0000;
const EVENT_QUEUE = 0x1_1000;
const PAGES = [STREAM_TABLE, CD, TABLES, 0x3000, 0x4000, 0x5000, COMMAND_QUEUE, EVENT_QUEUE];

const platform = writeFdt({
  version: 17,
  bootCpuid: 0,
  reservations: [],
  root: node('', { ...cells, compatible: 'linux,dummy-virt', 'interrupt-parent': [1] }, [
    node('cpus', { '#address-cells': [1], '#size-cells': [0] }, [cpu(0), cpu(1)]),
    node('memory@40000000', { device_type: 'memory', reg: [0, 0x4000_0000, 0, 0x1000_0000] }),
    node('intc@8000000', {
      ...cells,
      compatible: 'arm,cortex-a15-gic',
      reg: [0, 0x800_0000, 0, 0x1_0000, 0, 0x801_0000, 0, 0x1_0000],
      'interrupt-controller': [],
      '#interrupt-cells': [3],
      phandle: [1],
    }),
    node('smmuv3@9050000', {
      compatible: 'arm,smmu-v3',
      reg: [0, 0x905_0000, 0, 0x2_0000],
      interrupts: [0, 74, 1, 0, 75, 1, 0, 76, 1, 0, 77, 1],
      'interrupt-names': 'eventq\0priq\0cmdq-sync\0gerror',
      '#iommu-cells': [1],
    }),
  ]),
});

/** By offset in RAM: doublewords. Stream 0x10 maps page 0x12345000, and 0x12346000 to read alone. */
const STRUCTURES: Readonly<Record<number, readonly bigint[]>> = {
  // Stream 1 is aborted.
  [STREAM_TABLE + 0x1 * 64]: [0x1n],
  [STREAM_TABLE + 0x10 * 64]: [0x4100_100bn, 0xd4n],
  [CD]: [0x1_e204_f590_3510n, 0x4100_2000n, 0n, 0xff_440c_0400n],
  [TABLES]: [0x4100_3003n],
  0x3000: [0x4100_4003n],
  0x4488: [0x4100_5003n],
  0x5a28: [0x4601_0743n, 0x4602_07c3n],
  [COMMAND_QUEUE]: [
    // CMD_CFGI_STE_RANGE of all, CMD_SYNC; CMD_CFGI_STE, CMD_PREFETCH_CONFIG; CMD_TLBI_NH_VA of 3 pages, CMD_TLBI_NH_ASID
    [0x04n, 0x1fn],
    [0x46n, 0n],
    [0x10_0000_0003n, 1n],
    [0x10_0000_0001n, 0n],
    [0x1_0000_0000_2012n, 0x1234_6701n],
    [0x1_0000_0000_0011n, 0n],
  ].flat(),
  [EVENT_QUEUE]: [0x10_0000_0010n, 0x0n, 0x1234_7000n, 0n],
};

/** What the recorder found in the tables; `leaf` is that of 0x12345000. */
export function mappings(leaf = '0x46010743'): object {
  const leaves = [
    { iova: '0x12345000', desc: leaf, bits: 12 },
    { iova: '0x12346000', desc: '0x460207c3', bits: 12 },
  ];
  return [
    { sid: '0x0', config: 0 },
    { sid: '0x10', config: 5, leaves },
  ];
}

/** The files beside the traffic. */
export function machineFiles(): Readonly<Record<string, unknown>> {
  const bytes = new Uint8Array(PAGES.length * 0x1000);
  for (const [offset, doublewords] of Object.entries(STRUCTURES)) {
    const at = Number(offset);
    const page = PAGES.indexOf(at - (at % 0x1000));
    new BigUint64Array(bytes.buffer, page * 0x1000 + (at % 0x1000), doublewords.length).set(doublewords);
  }
  return {
    'platform.dtb': platform,
    'summary.json': {
      regions: [
        ['gicd', '0x8000000', '0x10000'],
        ['gicc', '0x8010000', '0x10000'],
        ['smmu', '0x9050000', '0x20000'],
      ],
    },
    'ram.json': { at_n: 1000, page_size: 4096, pages: PAGES.map((page) => `0x${(BASE + page).toString(16)}`) },
    'ram.bin.gz': Uint8Array.from(gzipSync(bytes)),
    'smmu-tables.json': mappings(),
  };
}
