// SPDX-License-Identifier: Apache-2.0
// One address space of the toy IOMMU.

import { iova as toIova, LinuxError } from '@irqkit/core';
import type { Device, Iova, IommuDomainOps, IommuDomainType, IotlbGather, PhysAddr } from '@irqkit/core';
import { APERTURE_BYTES, BLOCK_BYTES, ENTRY, MODE, PAGE_BYTES } from './regs.js';
import { ToyTables, fill } from './tables.js';
import type { ToyUnit } from './unit.js';

const MODES = { identity: MODE.BYPASS, blocked: MODE.BLOCK, dma: MODE.TRANSLATE, unmanaged: MODE.TRANSLATE } as const;

/** Streams that bypass or are blocked need no tables. */
export class ToyFixedDomain implements IommuDomainOps {
  readonly pageSizes: readonly number[] = [];
  readonly aperture = { first: toIova(0), last: toIova(APERTURE_BYTES - 1) };

  constructor(
    protected readonly unit: ToyUnit,
    private readonly type: IommuDomainType,
  ) {}

  mapPages(_iova: Iova, _pa: PhysAddr, _pageBytes: number, _count: number, _prot: number): void {
    throw new LinuxError('EINVAL', `${this.unit.path}: nothing is mapped in this domain`);
  }

  unmapPages(_iova: Iova, _pageBytes: number, _count: number, _gather: IotlbGather): number {
    return 0;
  }

  iovaToPhys(_iova: Iova): PhysAddr | undefined {
    return undefined;
  }

  flushIotlbAll(): void {
    this.unit.invalidate();
  }

  iotlbSync(gather: IotlbGather): void {
    this.unit.invalidate();
    gather.reset();
  }

  attach(device: Device): void {
    this.unit.setStream(device, MODES[this.type], this.tableBase);
    this.unit.invalidate();
  }

  free(): void {
    return;
  }

  protected get tableBase(): number {
    return 0;
  }
}

export class ToyPagingDomain extends ToyFixedDomain {
  override readonly pageSizes = [PAGE_BYTES, BLOCK_BYTES];
  protected readonly tables: ToyTables;

  constructor(unit: ToyUnit, type: IommuDomainType) {
    super(unit, type);
    this.tables = new ToyTables(unit.memory);
  }

  override mapPages(iova: Iova, pa: PhysAddr, pageBytes: number, count: number, prot: number): void {
    const pages = Array.from({ length: count }, (_, i) => iova + i * pageBytes);
    for (const page of pages) this.checkFree(page, pageBytes);
    const made: number[] = [];
    try {
      for (const page of pages) {
        const wasCut = this.tables.isCut(page);
        if (pageBytes === BLOCK_BYTES && wasCut) this.tables.mend(page);
        fill(this.tables.entryFor(page, pageBytes), (pa + page - iova) as PhysAddr, prot);
        made.push(page);
      }
    } catch (error) {
      for (const page of made) this.tables.entryFor(page, pageBytes).fill(0);
      throw error;
    }
  }

  override unmapPages(iova: Iova, pageBytes: number, count: number, gather: IotlbGather): number {
    const end = iova + pageBytes * count;
    let at: number = iova;
    while (at < end) {
      const found = this.tables.find(at);
      if (!found) break;
      const isWhole = at % found.sizeBytes === 0 && at + found.sizeBytes <= end;
      const unmapped = isWhole ? found.sizeBytes : PAGE_BYTES;
      try {
        this.clear(at, unmapped);
      } catch (error) {
        if (!LinuxError.is(error, 'ENOMEM')) throw error;
        break;
      }
      this.gather(gather, at, unmapped);
      at += unmapped;
    }
    return at - iova;
  }

  override iovaToPhys(iova: Iova): PhysAddr | undefined {
    const found = this.tables.find(iova);
    return found && ((ENTRY.Address(found.entry) + (iova % found.sizeBytes)) as PhysAddr);
  }

  override free(): void {
    this.unit.invalidate();
    this.tables.free();
  }

  protected override get tableBase(): number {
    return this.tables.top.base;
  }

  /** @throws LinuxError EEXIST where something is mapped. */
  protected checkFree(page: number, pageBytes: number): void {
    const isTaken =
      pageBytes === BLOCK_BYTES && this.tables.isCut(page)
        ? Array.from({ length: BLOCK_BYTES / PAGE_BYTES }, (_, i) => page + i * PAGE_BYTES).some((at) =>
            this.tables.find(at),
          )
        : this.tables.find(page);
    if (isTaken) throw new LinuxError('EEXIST', `${this.unit.path}: 0x${page.toString(16)} is mapped`);
  }

  /** A block of which a part goes is cut first. @throws LinuxError ENOMEM */
  protected clear(iova: number, sizeBytes: number): void {
    this.tables.entryFor(iova, sizeBytes).fill(0);
  }

  private gather(gather: IotlbGather, at: number, sizeBytes: number): void {
    if (gather.add(toIova(at), sizeBytes, sizeBytes)) return;
    this.iotlbSync(gather);
    gather.add(toIova(at), sizeBytes, sizeBytes);
  }
}
