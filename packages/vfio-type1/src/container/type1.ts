// SPDX-License-Identifier: Apache-2.0
// The address space of a container: what of its processes' memory devices reach, and at which IOVA.
// Source: the behaviour of Linux 6.1 drivers/vfio/vfio_iommu_type1.c.

import { hex, isAligned } from '@irqkit/bits';
import { Devres, IOMMU_PROT, LinuxError } from '@irqkit/core';
import type { Errno, IommuGroup } from '@irqkit/core';
import { PAGE_BYTES } from '../process/address-space.js';
import type { Process } from '../process/process.js';
import type { VfioSystem } from '../vfio-system.js';
import { MAX_DIRTY_BITMAP_BYTES, reportDirty } from './dirty-bitmap.js';
import { DirtyTracking } from './dirty-tracking.js';
import { Dma } from './dma.js';
import { DmaList } from './dma-list.js';
import type { IovaSpan } from './dma-list.js';
import { holds } from './iova-ranges.js';
import { Type1Domains } from './type1-domains.js';
import type { DirtyRange, MapDma, MappedRange, Type1Info, Type1Model, UnmapDma } from './type1-requests.js';
import { UserWindow } from './user-window.js';
import type { WindowPolicy } from './window-policy.js';

export interface Type1Options {
  readonly system: VfioSystem;
  readonly policy: WindowPolicy;
  readonly model: Type1Model;
}

/** @linux struct vfio_iommu */
export class Type1 {
  readonly model: Type1Model;
  readonly policy: WindowPolicy;
  readonly #system: VfioSystem;
  readonly #domains: Type1Domains;
  readonly #window: UserWindow;
  readonly #dmas = new DmaList<Dma>();
  #dmaAvailable: number;
  #nrVaddrInvalid = 0;
  readonly #dirty = new DirtyTracking();

  constructor({ system, policy, model }: Type1Options) {
    this.model = model;
    this.policy = policy;
    this.#system = system;
    this.#domains = new Type1Domains(system, policy);
    this.#window = new UserWindow(this.#domains);
    this.#dmaAvailable = system.settings.dmaEntryLimit;
  }

  get info(): Type1Info {
    const { pageSizes, ranges } = this.#domains;
    return {
      pageSizes,
      iovaRanges: ranges,
      dmaAvailable: this.#dmaAvailable,
      maxDirtyBitmapBytes: MAX_DIRTY_BITMAP_BYTES,
      msiWindow: this.policy === 'user' ? this.#neededWindow : undefined,
    };
  }

  /** How many mappings there are. */
  get nrMappings(): number {
    return this.#dmas.size;
  }

  /** The MSI window, while user space provides one. */
  get msiWindow(): MappedRange | undefined {
    return this.#window.span;
  }

  /** The smallest page, in bytes. */
  get pageBytes(): number {
    return this.#domains.pageSizes[0];
  }

  /**
   * Lets devices reach the caller's memory; all of it or nothing.
   * @throws LinuxError EINVAL without an access, for what is no run of pages or wraps, and outside the IOVA ranges; EEXIST on
   * overlap, also with the MSI window; ENOSPC at the entry limit; EFAULT for memory that is not there or does not allow the
   * access; ENOMEM beyond RLIMIT_MEMLOCK; what the IOMMU throws @linux VFIO_IOMMU_MAP_DMA
   */
  mapDma({ iova, sizeBytes, vaddr, read = false, write = false }: MapDma, caller: Process): void {
    const prot = (read ? IOMMU_PROT.READ : 0) | (write ? IOMMU_PROT.WRITE : 0);
    if (prot === 0) throw this.#error('EINVAL', 'neither read nor write');
    this.#checkRun(sizeBytes, iova, vaddr);
    if (this.#dmas.find(iova, sizeBytes) || this.#window.overlaps(iova, sizeBytes))
      throw this.#error('EEXIST', `${text({ iova, sizeBytes })} overlaps a mapping`);
    if (this.#dmaAvailable === 0) throw this.#error('ENOSPC', 'the limit of mappings is reached');
    this.#checkUsable(iova, sizeBytes);
    const dma = new Dma({ iova, sizeBytes, vaddr, prot, write }, caller);
    this.#pinAndMap(dma);
    this.#dmas.add(dma);
    this.#dmaAvailable--;
  }

  /**
   * Says where the memory of a mapping is now, after invalidateVaddr; its owner is from now on the caller.
   * @throws LinuxError ENOENT where nothing is mapped, EINVAL where the range is no whole mapping or its address is valid,
   * ENOMEM beyond RLIMIT_MEMLOCK @linux VFIO_DMA_MAP_FLAG_VADDR
   */
  updateVaddr({ iova, sizeBytes, vaddr }: MappedRange & { readonly vaddr: number }, caller: Process): void {
    this.#checkRun(sizeBytes, iova, vaddr);
    const dma = this.#dmas.find(iova, sizeBytes);
    if (!dma) throw this.#error('ENOENT', `${text({ iova, sizeBytes })} is not mapped`);
    if (!dma.vaddrInvalid || dma.iova !== iova || dma.sizeBytes !== sizeBytes)
      throw this.#error('EINVAL', `${text({ iova, sizeBytes })} is no mapping without an address`);
    dma.changeOwner(caller, vaddr);
    this.#nrVaddrInvalid--;
  }

  /**
   * Says where doorbells go.
   * @throws LinuxError EINVAL under the SW_MSI policy, where it is empty, misaligned or outside the IOVA ranges; EEXIST for a
   * second one and where it overlaps a mapping @linux VFIO_DMA_MAP_FLAG_RESERVED_MSI_IOVA of the v11 series
   */
  provideMsiWindow({ iova, sizeBytes }: MappedRange): void {
    if (this.policy !== 'user') throw this.#error('EINVAL', 'the MSI window is not user space’s to provide');
    this.#checkRun(sizeBytes, iova);
    if (this.#dmas.find(iova, sizeBytes))
      throw this.#error('EEXIST', `the MSI window ${text({ iova, sizeBytes })} overlaps a mapping`);
    if (!this.#window.span) this.#checkUsable(iova, sizeBytes);
    // CHOICE: the window takes none of the entries that dmaEntryLimit counts.
    this.#window.provide({ iova, sizeBytes });
  }

  /**
   * Takes mappings, and the MSI window, back. What belongs to another process ends it. In a v1 container a mapping goes
   * whole when the range holds its first page, and a range that begins inside one unmaps nothing.
   * @returns the bytes unmapped
   * @throws LinuxError EINVAL for what is no run of pages or wraps, for a range that cuts a mapping (v2), for a bitmap that
   * does not fit; EBUSY, with nothing unmapped, while doorbells are bound in the window; EFAULT for a bitmap that cannot be
   * written, with what came before it unmapped @linux VFIO_IOMMU_UNMAP_DMA
   */
  unmapDma({ iova, sizeBytes, bitmap }: UnmapDma, caller: Process): number {
    this.#checkRun(sizeBytes, iova);
    if (bitmap) this.#dirty.checkBitmap(bitmap, sizeBytes, this.pageBytes);
    return this.#unmap(this.#cover(iova, sizeBytes), caller, (dma) => {
      if (bitmap) reportDirty(caller.mm, { ...bitmap, iova }, dma);
    });
  }

  /** As unmapDma, everything. @throws LinuxError EBUSY @linux VFIO_DMA_UNMAP_FLAG_ALL */
  unmapAll(caller: Process): number {
    return this.#unmap(this.#covered(0, Infinity), caller);
  }

  /**
   * Takes the addresses of mappings back, all if there is no range: devices go on, but no group can come before
   * updateVaddr. @returns the bytes of the mappings
   * @throws LinuxError EINVAL as unmapDma, where one has none, and under the user window @linux VFIO_DMA_UNMAP_FLAG_VADDR
   */
  invalidateVaddr(range: MappedRange | undefined, caller: Process): number {
    if (this.policy === 'user') throw this.#error('EINVAL', 'addresses cannot be updated under the user window');
    if (range) this.#checkRun(range.sizeBytes, range.iova);
    const covered = range ? this.#cover(range.iova, range.sizeBytes) : this.#covered(0, Infinity);
    const dmas = ownedBy(caller, covered);
    if (dmas.some((dma) => dma.vaddrInvalid)) throw this.#error('EINVAL', 'a mapping has no address already');
    for (const dma of dmas) dma.vaddrInvalid = true;
    this.#nrVaddrInvalid += dmas.length;
    return totalBytes(dmas);
  }

  /** A second call does nothing. @throws LinuxError EINVAL for a mapping that is too large @linux VFIO_IOMMU_DIRTY_PAGES_FLAG_START */
  startDirtyTracking(): void {
    this.#refuseV1();
    this.#dirty.start(this.#dmas.all, this.pageBytes);
  }

  /** Nothing happens where it is not started. @linux VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP */
  stopDirtyTracking(): void {
    this.#refuseV1();
    this.#dirty.stop();
  }

  /**
   * Every page of every mapping in the range: pinned memory may have been written by a device.
   * @throws LinuxError EACCES in a v1 container; EINVAL where tracking is off, for what is no run of pages, a bitmap that
   * does not fit, a range that cuts a mapping; EFAULT @linux VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP
   */
  getDirtyBitmap({ iova, sizeBytes, bitmap }: DirtyRange, caller: Process): void {
    this.#refuseV1();
    this.#checkRun(sizeBytes, iova);
    this.#dirty.checkBitmap(bitmap, sizeBytes, this.pageBytes);
    this.#refuseCuts(iova, sizeBytes);
    for (const dma of this.#dmas.within(iova, sizeBytes)) reportDirty(caller.mm, { ...bitmap, iova }, dma);
  }

  /** @internal @throws LinuxError EBUSY while addresses are invalid, EPERM; see Type1Domains.attach */
  attachGroup(group: IommuGroup): void {
    if (this.#nrVaddrInvalid > 0) throw this.#error('EBUSY', 'mappings have no address');
    if (this.model === 'nesting' && this.#system.settings.kernel === '6.12')
      throw this.#error('EPERM', 'no nesting translation');
    this.#domains.attach(group, { dmas: this.#dmas, window: this.#window.span });
  }

  /** @internal The last one takes the mappings along. */
  detachGroup(group: IommuGroup): void {
    this.#domains.detach(group);
    if (this.#domains.nrGroups === 0) this.release();
  }

  /** @internal Nothing is mapped and no group attached after this. */
  release(): void {
    const releases = new Devres();
    releases.add(() => this.#domains.freeUnused());
    for (const { groups } of this.#domains.all)
      for (const group of groups) releases.add(() => this.#domains.detach(group));
    for (const dma of this.#dmas.all) releases.add(() => this.#remove(dma));
    releases.releaseAll();
  }

  #pinAndMap(dma: Dma): void {
    const maxBytes = this.#system.settings.disableHugepages ? PAGE_BYTES : Infinity;
    let done = 0;
    try {
      this.#dirty.checkTrackable(dma, this.pageBytes);
      while (done < dma.sizeBytes) {
        const run = dma.pinNext(done, maxBytes);
        this.#domains.map(dma.iova + done, run, dma.prot);
        done += run.sizeBytes;
      }
    } catch (error) {
      if (done > 0) this.#domains.unmap(dma.iova, done);
      dma.unpinAll();
      throw error;
    }
  }

  #unmap(spans: readonly (Dma | IovaSpan)[], caller: Process, before?: (dma: Dma) => void): number {
    const dmas = ownedBy(caller, spans);
    const window = spans.find((span) => span === this.#window.span);
    if (window) this.#window.refuseBusy();
    for (const dma of dmas) {
      before?.(dma);
      this.#remove(dma);
    }
    if (window) this.#window.withdraw();
    return totalBytes(dmas) + (window?.sizeBytes ?? 0);
  }

  #remove(dma: Dma): void {
    this.#domains.unmap(dma.iova, dma.sizeBytes);
    dma.unpinAll();
    this.#dmas.remove(dma);
    this.#dmaAvailable++;
    if (dma.vaddrInvalid) this.#nrVaddrInvalid--;
  }

  /** What an unmap of the range is about. @throws LinuxError EINVAL where it cuts something, but for v1 */
  #cover(iova: number, sizeBytes: number): readonly (Dma | IovaSpan)[] {
    if (this.model !== 'v1') this.#refuseCuts(iova, sizeBytes);
    const covered = this.#covered(iova, sizeBytes);
    return covered.length > 0 && covered[0].iova < iova ? [] : covered;
  }

  #covered(iova: number, sizeBytes: number): (Dma | IovaSpan)[] {
    const { span } = this.#window;
    const dmas = this.#dmas.within(iova, sizeBytes);
    if (!span || !this.#window.overlaps(iova, sizeBytes)) return dmas;
    return [...dmas, span].sort((a, b) => a.iova - b.iova);
  }

  #refuseCuts(iova: number, sizeBytes: number): void {
    const covered = this.#covered(iova, sizeBytes);
    const last = covered.at(-1);
    if (last && (covered[0].iova < iova || last.iova + last.sizeBytes > iova + sizeBytes))
      throw this.#error('EINVAL', `${text({ iova, sizeBytes })} cuts a mapping`);
  }

  /** @throws LinuxError EINVAL */
  #checkRun(sizeBytes: number, ...starts: readonly number[]): void {
    const fits = starts.every((start) => isAligned(start, this.pageBytes) && start + sizeBytes <= 2 ** 64);
    if (sizeBytes <= 0 || !isAligned(sizeBytes, this.pageBytes) || !fits)
      throw this.#error('EINVAL', `${starts.map(hex).join(', ')}: ${hex(sizeBytes)} bytes are no run of pages there`);
  }

  #checkUsable(iova: number, sizeBytes: number): void {
    if (!holds(this.#domains.ranges, iova, sizeBytes))
      throw this.#error('EINVAL', `${text({ iova, sizeBytes })} is outside the usable IOVAs`);
  }

  #refuseV1(): void {
    if (this.model === 'v1') throw this.#error('EACCES', 'a v1 container does not track dirty pages');
  }

  get #neededWindow(): { readonly sizeBytes: number; readonly alignment: number } {
    const nrPages = this.#system.host.doorbells.pages(Math.log2(this.pageBytes));
    return { sizeBytes: nrPages * this.pageBytes, alignment: this.pageBytes };
  }

  #error(code: Errno, message: string): LinuxError {
    return new LinuxError(code, `/dev/vfio/vfio: ${message}`);
  }
}

/** Up to the first that is another's. */
function ownedBy(caller: Process, spans: readonly (Dma | IovaSpan)[]): Dma[] {
  const dmas = spans.filter((span) => span instanceof Dma);
  const others = dmas.findIndex((dma) => !dma.belongsTo(caller));
  return others < 0 ? dmas : dmas.slice(0, others);
}

function totalBytes(spans: readonly IovaSpan[]): number {
  return spans.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

function text({ iova, sizeBytes }: IovaSpan): string {
  return `${hex(iova)}+${hex(sizeBytes)}`;
}
