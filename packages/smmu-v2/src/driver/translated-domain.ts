// SPDX-License-Identifier: Apache-2.0
// A domain with translation tables and a context bank, at stage 1 or 2: what Linux 6.1's arm-smmu does for map, unmap and
// invalidation.

import { LinuxError } from '@irqkit/core';
import type { Device, IommuDomainOps, Iova, IovaRange, IotlbGather, PhysAddr } from '@irqkit/core';
import { createPageTable } from '@irqkit/pgtable/build';
import type { GranuleBytes, PageTable } from '@irqkit/pgtable/build';
import { S2CR_TYPE } from '../regs.js';
import { contextBankValues } from './context-bank-values.js';
import type { ContextBank } from './context-banks.js';
import { invalidationOf } from './invalidation.js';
import type { Invalidation } from './invalidation.js';
import type { SmmuParts } from './smmu-parts.js';
import type { StreamTarget } from './stream-entries.js';

export class TranslatedDomain implements IommuDomainOps {
  readonly pageSizes: readonly number[];
  readonly aperture: IovaRange;
  readonly #parts: SmmuParts;
  readonly #table: PageTable;
  readonly #bank: ContextBank;
  readonly #invalidation: Invalidation;
  readonly #freeInterrupt: () => void;
  readonly #target: StreamTarget;

  /**
   * CHOICE: the bank is taken here, where Linux takes it with the first device.
   * @throws LinuxError ENOSPC where all banks are taken, ENOMEM, EINVAL @linux arm_smmu_init_domain_context
   */
  constructor(parts: SmmuParts) {
    const { unit, banks, interrupts, tlb } = parts;
    // Stage 1 where there is one.
    const stage = unit.features.stage1 ? 1 : 2;
    this.#parts = parts;
    this.#bank = banks.take(stage);
    this.#invalidation = invalidationOf(unit, tlb, this.#bank, stage);
    try {
      this.#table = createTable(parts, stage, (first, sizeBytes, granuleBytes) =>
        this.#report(this.#invalidation.range(first, sizeBytes, granuleBytes, false)),
      );
    } catch (error) {
      banks.release(this.#bank);
      throw error;
    }
    banks.enable(this.#bank, contextBankValues(unit.features, this.#bank, this.#table.registers));
    try {
      this.#freeInterrupt = interrupts.requestContext(this.#bank.interrupt, () =>
        parts.faults.serveBank(this.#bank.index),
      );
    } catch (error) {
      banks.disable(this.#bank.index);
      this.#letGo();
      throw error;
    }
    this.pageSizes = this.#table.pageSizes;
    this.aperture = { first: 0 as Iova, last: (2 ** this.#table.iasBits - 1) as Iova };
    this.#target = { type: S2CR_TYPE.TRANSLATE, bank: this.#bank.index };
  }

  mapPages(iova: Iova, pa: PhysAddr, pageBytes: number, count: number, prot: number): void {
    this.#table.mapPages(iova, pa, pageBytes, count, prot);
  }

  unmapPages(iova: Iova, pageBytes: number, count: number, gather: IotlbGather): number {
    const unmapped = this.#table.unmapPages(iova, pageBytes, count);
    if (unmapped === 0 || gather.queued) return unmapped;
    // What ends inside a page of that size was mapped by smaller ones.
    const entryBytes = unmapped % pageBytes === 0 ? pageBytes : this.pageSizes[0];
    if (!gather.add(iova, unmapped, entryBytes)) {
      this.iotlbSync(gather);
      gather.add(iova, unmapped, entryBytes);
    }
    return unmapped;
  }

  iovaToPhys(iova: Iova): PhysAddr | undefined {
    return this.#table.iovaToPhys(iova);
  }

  /** Where the SMMU does not follow, the log says so. @linux arm_smmu_flush_iotlb_all */
  flushIotlbAll(): void {
    this.#report(this.#invalidation.all());
  }

  /** Where the SMMU does not follow, the log says so. @linux arm_smmu_iotlb_sync */
  iotlbSync(gather: IotlbGather): void {
    const { first, last, pageBytes } = gather;
    if (pageBytes > 0) this.#report(this.#invalidation.range(first, last - first + 1, pageBytes, true));
    gather.reset();
  }

  attach(device: Device): void {
    this.#parts.masters.attach(device, this.#target);
  }

  /** @linux arm_smmu_destroy_domain_context */
  free(): void {
    this.#parts.banks.disable(this.#bank.index);
    this.#freeInterrupt();
    this.#letGo();
  }

  /** An SMMU that hangs keeps tables and bank until it has caught up. */
  #letGo(): void {
    const { banks, tlb } = this.#parts;
    const release = (): void => {
      this.#table.free();
      banks.release(this.#bank);
    };
    const failure = this.#invalidation.all();
    this.#report(failure);
    if (failure) tlb.whenSynced(release);
    else release();
  }

  #report(failure: LinuxError | undefined): void {
    if (failure) this.#parts.unit.log.warn(failure.message);
  }
}

function createTable(
  { unit, tables }: SmmuParts,
  stage: 1 | 2,
  flushWalk: (iova: Iova, sizeBytes: number, granuleBytes: number) => void,
): PageTable {
  const { path, features, coherent } = unit;
  const [iasBits, oasBits] = stage === 1 ? features.stage1Bits : features.stage2Bits;
  return createPageTable({
    path,
    stage,
    granuleBytes: tables.tableBytes as GranuleBytes,
    iasBits,
    oasBits,
    memory: tables,
    coherentWalk: coherent,
    flushWalk,
  });
}
