// SPDX-License-Identifier: Apache-2.0
// A domain with translation tables, at stage 1 or 2: what Linux 6.1's arm-smmu-v3 does for map, unmap and invalidation.

import { LinuxError } from '@irqkit/core';
import type { Device, IommuDomainOps, Iova, IovaRange, IotlbGather, PhysAddr } from '@irqkit/core';
import { createPageTable } from '@irqkit/pgtable/build';
import type { GranuleBytes, PageTable } from '@irqkit/pgtable/build';
import { addByPage, addByRange, levelOf } from './invalidation.js';
import type { StreamTarget } from './masters.js';
import type { SmmuParts } from './smmu-parts.js';
import { takeContext } from './stage-context.js';
import type { StageContext } from './stage-context.js';
import type { StreamEntry } from './stream-entry.js';

const DESCRIPTOR_BYTES = 8;

export class TranslatedDomain implements IommuDomainOps, StreamTarget {
  readonly pageSizes: readonly number[];
  readonly aperture: IovaRange;
  readonly #parts: SmmuParts;
  readonly #table: PageTable;
  readonly #context: StageContext;
  readonly #granuleLog2: number;
  /** Entries of a table. */
  readonly #mostByPage: number;
  /** Since the first device: before, the SMMU knows nothing of it. */
  #live = false;
  #invalidating = false;
  /** Bytes of the largest entry ever mapped. */
  #largest = 0;

  /** @throws LinuxError ENOSPC where all ids are taken, ENOMEM, EINVAL @linux arm_smmu_domain_finalise */
  constructor(parts: SmmuParts) {
    this.#parts = parts;
    this.#table = createTable(parts, (iova, sizeBytes, granuleBytes) =>
      this.#invalidate(iova, sizeBytes, granuleBytes, false),
    );
    try {
      this.#context = takeContext(parts, this.#table);
    } catch (error) {
      this.#table.free();
      throw error;
    }
    this.pageSizes = this.#table.pageSizes;
    this.#granuleLog2 = Math.log2(this.pageSizes[0]);
    this.#mostByPage = this.pageSizes[0] / DESCRIPTOR_BYTES;
    this.aperture = { first: 0 as Iova, last: (2 ** this.#table.iasBits - 1) as Iova };
  }

  get entry(): StreamEntry {
    return this.#context.entry;
  }

  prepare(): void {
    if (this.#live) return;
    this.#context.prepare();
    this.#live = true;
  }

  mapPages(iova: Iova, pa: PhysAddr, pageBytes: number, count: number, prot: number): void {
    if (pageBytes > this.#largest) this.#largest = pageBytes;
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

  /** Where the SMMU does not follow, the log says so. @linux arm_smmu_tlb_inv_context */
  flushIotlbAll(): void {
    this.#flushAll();
  }

  /** Where the SMMU does not follow, the log says so. @linux arm_smmu_iotlb_sync */
  iotlbSync(gather: IotlbGather): void {
    const { first, last, pageBytes } = gather;
    if (pageBytes > 0) this.#invalidate(first, last - first + 1, pageBytes, true);
    gather.reset();
  }

  attach(device: Device): void {
    this.#parts.masters.attach(device, this);
  }

  /** An SMMU that hangs keeps tables and id until it has caught up; an id that it did not forget is not given out again. */
  free(): void {
    const { queue, unit } = this.#parts;
    const failure = this.#flushAll();
    const keepId = failure?.code === 'EIO';
    if (keepId) unit.log.warn(`${unit.path}: ${this.#context.name} is not used again`);
    queue.whenDrained(() => {
      this.#table.free();
      this.#context.release(keepId);
    });
  }

  #flushAll(): LinuxError | undefined {
    const { queue } = this.#parts;
    if (!this.#live) return undefined;
    queue.begin();
    queue.add(this.#context.tlbiAll);
    return this.#sync();
  }

  #invalidate(first: number, sizeBytes: number, pageBytes: number, leaf: boolean): void {
    const { queue, unit } = this.#parts;
    if (!this.#live) return;
    // A handler that runs in the middle must not change the command.
    const nested = this.#invalidating;
    const command = nested ? this.#context.tlbiAddress.slice() : this.#context.tlbiAddress;
    this.#invalidating = true;
    queue.begin();
    if (unit.features.rangeInvalidation) {
      // CHOICE: a level is named only where no block can have been split: Linux always names that of the pages that went.
      const level = leaf && pageBytes >= this.#largest ? levelOf(pageBytes, this.#granuleLog2) : 0;
      addByRange(queue, command, first, sizeBytes, this.#granuleLog2, leaf, level);
    } else if (sizeBytes / pageBytes <= this.#mostByPage) addByPage(queue, command, first, sizeBytes, pageBytes, leaf);
    // CHOICE: Linux 6.1 has a command for each page, however many there are; later kernels have this limit.
    else queue.add(this.#context.tlbiAll);
    this.#sync();
    this.#invalidating = nested;
  }

  #sync(): LinuxError | undefined {
    const { queue, unit } = this.#parts;
    const failure = queue.sync();
    if (failure) unit.log.warn(failure.message);
    return failure;
  }
}

function createTable(
  { unit, tables }: SmmuParts,
  flushWalk: (iova: Iova, size: number, granule: number) => void,
): PageTable {
  const { path, features, coherent } = unit;
  const stage1 = features.stage1;
  return createPageTable({
    path,
    stage: stage1 ? 1 : 2,
    granuleBytes: tables.tableBytes as GranuleBytes,
    iasBits: stage1 ? features.vaBits : features.iasBits,
    oasBits: stage1 ? features.iasBits : features.oasBits,
    memory: tables,
    coherentWalk: coherent,
    flushWalk,
  });
}
