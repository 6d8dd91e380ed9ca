// SPDX-License-Identifier: Apache-2.0
// Devicetrees as these tests write them: one cell of address and of size, cells as numbers, strings as strings.

import type { Firmware } from '@irqkit/core';
import { firmwareFromFdt } from '@irqkit/fdt';
import type { FdtNode } from '@irqkit/fdt';

type Property = string | readonly (number | string)[];
export type Properties = Readonly<Record<string, Property>>;

/** Numbers become cells, anything with a string becomes strings. */
export function node(name: string, properties: Properties = {}, ...children: FdtNode[]): FdtNode {
  return {
    name,
    properties: Object.entries(properties).map(([key, value]) => ({ name: key, value: encode(value) })),
    children,
  };
}

function encode(value: Property): Uint8Array {
  const parts = typeof value === 'string' ? [value] : value;
  if (parts.some((part) => typeof part === 'string'))
    return new TextEncoder().encode(parts.map((part) => `${part}\0`).join(''));
  const bytes = new Uint8Array(parts.length * 4);
  const view = new DataView(bytes.buffer);
  parts.forEach((part, i) => view.setUint32(i * 4, Number(part)));
  return bytes;
}

export interface TreeFacts {
  readonly nrCpus?: number;
  /** Pairs of base and size. */
  readonly memory?: readonly number[];
}

export const RAM_BASE = 0x4000_0000;

/** A tree with `nodes` beside /cpus and /memory; 16 MiB of RAM at RAM_BASE where `memory` says nothing else. */
export function firmware({ nrCpus = 2, memory = [RAM_BASE, 0x100_0000] }: TreeFacts, ...nodes: FdtNode[]): Firmware {
  const cpus = Array.from({ length: nrCpus }, (_, cpu) =>
    node(`cpu@${cpu}`, { device_type: 'cpu', compatible: 'arm,cortex-a72', reg: [cpu] }),
  );
  return firmwareFromFdt({
    version: 17,
    bootCpuid: 0,
    reservations: [],
    root: node(
      '',
      { '#address-cells': [1], '#size-cells': [1] },
      node('cpus', { '#address-cells': [1], '#size-cells': [0] }, ...cpus),
      ...(memory.length > 0 ? [node('memory', { device_type: 'memory', reg: memory })] : []),
      ...nodes,
    ),
  });
}
