// SPDX-License-Identifier: Apache-2.0
// A translation table as its driver sees it, and the register fields that point hardware to it. Fields: Arm DDI 0487, D8.2
// and TCR_EL1, VTCR_EL2; IHI 0070 has the same encodings in the CD and the STE.

import type { DmaMemory, Iova, PhysAddr } from '@irqkit/core';
import type { TablePool } from './table-pool.js';

/** Bytes of the smallest page, and of a table. */
export type GranuleBytes = 0x1000 | 0x4000 | 0x1_0000;

export interface PageTableOptions {
  /** Where errors say it was: a node's path. */
  readonly path: string;
  readonly stage: 1 | 2;
  readonly granuleBytes: GranuleBytes;
  /** Input address bits, 32 to 52; taken as 48 where they are more and the granule is not of 64 KiB. */
  readonly iasBits: number;
  /** Output address bits: 32, 36, 40, 42, 44, 48 or 52; 52 is taken as 48 where the granule is not of 64 KiB. */
  readonly oasBits: number;
  /** Where tables come from: page tables that share a pool share its chunks. Their granule is the pool's. */
  readonly memory: DmaMemory | TablePool;
  /** False where hardware reads tables without looking into the caches of the processors. True where it is left out. */
  readonly coherentWalk?: boolean;
  /**
   * Tables for [iova, iova + sizeBytes) were unlinked and their memory is freed after this: hardware must forget what it
   * knows of that range, tables included. @linux iommu_flush_ops.tlb_flush_walk
   */
  readonly flushWalk: (iova: Iova, sizeBytes: number, granuleBytes: number) => void;
}

/** Fields as encoded. `ttbr` is the address alone. @linux struct io_pgtable_cfg.arm_lpae_s1_cfg */
export interface Stage1Registers {
  readonly stage: 1;
  readonly ttbr: PhysAddr;
  readonly T0SZ: number;
  readonly TG0: number;
  readonly IRGN0: number;
  readonly ORGN0: number;
  readonly SH0: number;
  readonly IPS: number;
  /** MAIR_EL1, low word then high. */
  readonly mair: readonly [number, number];
}

/** Fields as encoded. `vttbr` is the address alone. @linux struct io_pgtable_cfg.arm_lpae_s2_cfg */
export interface Stage2Registers {
  readonly stage: 2;
  readonly vttbr: PhysAddr;
  readonly T0SZ: number;
  readonly SL0: number;
  readonly IRGN0: number;
  readonly ORGN0: number;
  readonly SH0: number;
  readonly TG0: number;
  readonly PS: number;
}

/** @linux struct io_pgtable_ops */
export interface PageTable {
  /** Bits of input and output addresses, as they were taken. */
  readonly iasBits: number;
  readonly oasBits: number;
  /** Sizes that one entry maps, in bytes, ascending; the first is the granule. */
  readonly pageSizes: readonly number[];
  readonly registers: Stage1Registers | Stage2Registers;
  /**
   * Maps `count` entries of `pageBytes` each, all or none. `prot`: IOMMU_PROT bits.
   * @throws LinuxError EEXIST where one is mapped; EINVAL for a size that is none of `pageSizes`, addresses that are no
   * multiples of it, neither READ nor WRITE; ERANGE beyond the input or output size; ENOMEM
   * @linux io_pgtable_ops.map_pages
   */
  mapPages(iova: Iova, pa: PhysAddr, pageBytes: number, count: number, prot: number): void;
  /**
   * Unmaps up to `count` entries, ending at the first address that is not mapped. A block that is larger is split. Tables
   * that are empty after it go, in one `flushWalk`; the caller invalidates the pages themselves.
   * @returns the bytes unmapped
   * @throws LinuxError EINVAL for a size that is none of `pageSizes`, an address that is no multiple of it; ENOMEM
   * where a split has no table, with nothing unmapped
   * @linux io_pgtable_ops.unmap_pages
   */
  unmapPages(iova: Iova, pageBytes: number, count: number): number;
  /** Undefined where nothing is mapped. @linux io_pgtable_ops.iova_to_phys */
  iovaToPhys(iova: Iova): PhysAddr | undefined;
  /** Releases every table; hardware does not use them any more. @linux free_io_pgtable_ops */
  free(): void;
}
