// SPDX-License-Identifier: Apache-2.0
// Tables that Linux 6.1 left in memory for its SMMUv3 domains: mapped again from what each descriptor means, the descriptors and
// the registers are the same.

import { describeWithShared, sharedPath } from '@irqkit-test/env';
import { DOORBELL_PROT, IOMMU_PROT, iova, physAddr } from '@irqkit/core';
import { readFileSync } from 'node:fs';
import { KIB4, rig, walkerOf } from './tables.js';
import type { Rig } from './tables.js';

interface Leaf {
  readonly iova: string;
  readonly desc: string;
  readonly bits: number;
}

interface Entry {
  readonly sid: string;
  readonly config: number;
  readonly cd_dwords: readonly string[];
  readonly leaves: readonly Leaf[];
  readonly vtcr: string;
  readonly s2_leaves: readonly Leaf[];
}

/** GITS_TRANSLATER's page on QEMU's virt board, the one device that is mapped. */
const DOORBELL_PA = 0x809_0000;
const OUTPUT_ADDRESS = 0x0000_ffff_ffff_f000n;

const { READ, WRITE, CACHE } = IOMMU_PROT;

const entriesOf = (capture: string, config: number): Entry[] =>
  (JSON.parse(readFileSync(sharedPath('data', 'replay', capture, 'smmu-tables.json'), 'utf8')) as Entry[]).filter(
    (entry) => entry.config === config,
  );

const bits = (value: bigint, hi: number, lo: number): number =>
  Number((value >> BigInt(lo)) & ((2n << BigInt(hi - lo)) - 1n));

/** Streaming DMA is cacheable; at stage 2, bit 6 is read and bit 7 write. Stage 1 reads whatever can be written. */
function protOf(pa: number, descriptor: bigint, stage: 1 | 2): number {
  if (pa === DOORBELL_PA) return DOORBELL_PROT;
  if (stage === 1) return CACHE | READ | (bits(descriptor, 7, 7) === 1 ? 0 : WRITE);
  return CACHE | (bits(descriptor, 6, 6) * READ) | (bits(descriptor, 7, 7) * WRITE);
}

/** Maps every leaf, and compares what a walk finds with the descriptor that was there. */
function expectLeaves(one: Rig, leaves: readonly Leaf[], stage: 1 | 2): void {
  const walk = walkerOf(one);
  for (const leaf of leaves) {
    const [at, descriptor] = [Number(leaf.iova), BigInt(leaf.desc)];
    const pa = Number(descriptor & OUTPUT_ADDRESS);
    one.table.mapPages(iova(at), physAddr(pa), 2 ** leaf.bits, 1, protOf(pa, descriptor, stage));
    const { descriptorAddress } = walk(at, stage === 1 ? 0 : 1);
    expect(one.memory.word64(descriptorAddress)).toBe(descriptor);
  }
}

describeWithShared('the tables of a boot', () => {
  it.each(entriesOf('A', 5))('stage 1 of StreamID $sid', ({ cd_dwords, leaves }) => {
    const one = rig({ stage: 1, granuleBytes: KIB4, iasBits: 48, oasBits: 44 });
    const cd = BigInt(cd_dwords[0]);
    expect(one.table.registers).toEqual({
      stage: 1,
      ttbr: 0x4000_0000,
      T0SZ: bits(cd, 5, 0),
      TG0: bits(cd, 7, 6),
      IRGN0: bits(cd, 9, 8),
      ORGN0: bits(cd, 11, 10),
      SH0: bits(cd, 13, 12),
      IPS: bits(cd, 34, 32),
      mair: [bits(BigInt(cd_dwords[3]), 31, 0), 0],
    });
    expectLeaves(one, leaves, 1);
  });

  it.each(entriesOf('A-s2', 6))('stage 2 of StreamID $sid', ({ vtcr, s2_leaves }) => {
    const one = rig({ stage: 2, granuleBytes: KIB4, iasBits: 44, oasBits: 44 });
    const fields = BigInt(vtcr);
    expect(one.table.registers).toEqual({
      stage: 2,
      vttbr: 0x4000_0000,
      T0SZ: bits(fields, 5, 0),
      SL0: bits(fields, 7, 6),
      IRGN0: bits(fields, 9, 8),
      ORGN0: bits(fields, 11, 10),
      SH0: bits(fields, 13, 12),
      TG0: bits(fields, 15, 14),
      PS: bits(fields, 18, 16),
    });
    expectLeaves(one, s2_leaves, 2);
  });
});
