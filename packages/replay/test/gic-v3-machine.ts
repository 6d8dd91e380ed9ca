// SPDX-License-Identifier: Apache-2.0
// A GICv3 with an ITS and two processors, and a snapshot of its RAM with four commands in the queue.

import { gzipSync } from 'node:zlib';
import { writeFdt } from '@irqkit/fdt';
import { cells, cpu, node } from './capture-dir.js';

const QUEUE = 0x4102_0000;
const CONFIGURATION = 0x4104_0000;

const platform = writeFdt({
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
        compatible: 'arm,gic-v3',
        reg: [0, 0x800_0000, 0, 0x1_0000, 0, 0x80a_0000, 0, 0xf6_0000],
        'interrupt-controller': [],
        '#interrupt-cells': [3],
        phandle: [1],
        ranges: [],
      },
      [
        node('its@8080000', {
          compatible: 'arm,gic-v3-its',
          reg: [0, 0x808_0000, 0, 0x2_0000],
          'msi-controller': [],
          '#msi-cells': [1],
        }),
      ],
    ),
  ]),
});

/** IHI 0069, section 5.3: MAPC, MAPD, MAPTI and INV, four doublewords each. */
const COMMANDS = [
  [0x09n, 0n, 0x8000_0000_0001_0001n, 0n],
  [0x10_0000_0008n, 0n, 0x8000_0000_4103_0000n, 0n],
  [0x10_0000_000an, 0x2005_0000_0001n, 0x1n, 0n],
  [0x10_0000_000cn, 0x1n, 0n, 0n],
];

/** The files beside the traffic. `configuration`: the byte of LPI 8197 in the end. */
export function machineFiles(configuration = 0xa3): Readonly<Record<string, unknown>> {
  const bytes = new Uint8Array(0x2000);
  new BigUint64Array(bytes.buffer).set(COMMANDS.flat());
  bytes[0x1005] = configuration;
  return {
    'platform.dtb': platform,
    'summary.json': {
      regions: [
        ['gicd', '0x8000000', '0x10000'],
        ['gicr', '0x80a0000', '0xf60000'],
        ['its', '0x8080000', '0x10000'],
        ['its-translater', '0x8090000', '0x10000'],
      ],
    },
    'ram.json': { at_n: 1000, page_size: 4096, pages: [QUEUE, CONFIGURATION].map((page) => `0x${page.toString(16)}`) },
    'ram.bin.gz': Uint8Array.from(gzipSync(bytes)),
  };
}
