// SPDX-License-Identifier: Apache-2.0
// An address space over a driver's page tables: which page sizes a range is cut into, and what is undone when one fails.
// Source: the behaviour of Linux 6.1, iommu_map and iommu_unmap.

import { hex, isAligned } from '@irqkit/bits';
import type { Iova, PhysAddr } from '../contracts/address.js';
import { LinuxError } from '../contracts/errno.js';
import type { Errno } from '../contracts/errno.js';
import type { FirmwareNode } from '../contracts/firmware.js';
import type {
  IommuDomain,
  IommuDomainOps,
  IommuDomainType,
  IotlbGather as IotlbGatherContract,
  IovaRange,
} from '../contracts/iommu.js';
import { IotlbGather } from './iotlb-gather.js';
import type { MsiBindings } from './msi-bindings/msi-bindings.js';

export interface PagingDomainOptions {
  readonly type: IommuDomainType;
  readonly iommu: FirmwareNode;
  readonly ops: IommuDomainOps;
}

/** @linux struct iommu_domain */
export class PagingDomain implements IommuDomain {
  readonly type: IommuDomainType;
  readonly iommu: FirmwareNode;
  readonly ops: IommuDomainOps;
  /** The doorbells in it, which its devices take as their `msiTranslation`; undefined where no policy was chosen. */
  msiBindings: MsiBindings | undefined;

  constructor({ type, iommu, ops }: PagingDomainOptions) {
    this.type = type;
    this.iommu = iommu;
    this.ops = ops;
  }

  get pageSizes(): readonly number[] {
    return this.ops.pageSizes;
  }

  get aperture(): IovaRange {
    return this.ops.aperture;
  }

  /**
   * Maps with the largest pages that fit; all of it or nothing.
   * @throws LinuxError EINVAL in an identity or blocked domain, for an empty range and on misalignment to the smallest page;
   * ERANGE outside the aperture; EEXIST, ENOMEM @linux iommu_map
   */
  map(iova: Iova, pa: PhysAddr, sizeBytes: number, prot: number): void {
    const smallest = this.#smallestPage();
    if (sizeBytes <= 0 || ![iova, pa, sizeBytes].every((value) => isAligned(value, smallest)))
      throw this.#error('EINVAL', `${range(iova, sizeBytes)} to ${hex(pa)} is no run of ${hex(smallest)}-byte pages`);
    if (iova < this.aperture.first || iova + sizeBytes - 1 > this.aperture.last)
      throw this.#error('ERANGE', `${range(iova, sizeBytes)} is outside the aperture`);
    let done = 0;
    try {
      while (done < sizeBytes)
        done += this.#mapRun((iova + done) as Iova, (pa + done) as PhysAddr, sizeBytes - done, prot);
    } catch (error) {
      this.unmap(iova, done);
      throw error;
    }
  }

  /**
   * Unmaps from `iova` to the first address that is not mapped, and invalidates once, at the end.
   * @returns the bytes unmapped @throws LinuxError EINVAL as `map` does, but for an empty range @linux iommu_unmap
   */
  unmap(iova: Iova, sizeBytes: number): number {
    const gather = new IotlbGather();
    const done = this.unmapGathered(iova, sizeBytes, gather);
    this.ops.iotlbSync(gather);
    return done;
  }

  /** As `unmap`, but what is to be invalidated is left in `gather`. @linux iommu_unmap_fast */
  unmapGathered(iova: Iova, sizeBytes: number, gather: IotlbGatherContract): number {
    const smallest = this.#smallestPage();
    if (!isAligned(iova, smallest) || !isAligned(sizeBytes, smallest))
      throw this.#error('EINVAL', `${range(iova, sizeBytes)} is no run of ${hex(smallest)}-byte pages`);
    const within = Math.min(sizeBytes, this.aperture.last + 1 - iova);
    if (iova < this.aperture.first) return 0;
    let done = 0;
    while (done < within) {
      const { pageBytes, count } = nextRun(this.pageSizes, iova + done, iova + done, within - done);
      const unmapped = this.ops.unmapPages((iova + done) as Iova, pageBytes, count, gather);
      if (unmapped === 0) break;
      done += unmapped;
    }
    return done;
  }

  /** In an identity domain every address is its own; in a blocked one none is mapped. @linux iommu_iova_to_phys */
  iovaToPhys(iova: Iova): PhysAddr | undefined {
    if (this.type === 'identity') return iova as number as PhysAddr;
    return this.type === 'blocked' ? undefined : this.ops.iovaToPhys(iova);
  }

  /** Releases tables and ids; no device is attached. @linux iommu_domain_free */
  free(): void {
    this.ops.free();
  }

  #mapRun(iova: Iova, pa: PhysAddr, leftBytes: number, prot: number): number {
    const { pageBytes, count } = nextRun(this.pageSizes, iova, pa, leftBytes);
    this.ops.mapPages(iova, pa, pageBytes, count, prot);
    return pageBytes * count;
  }

  #smallestPage(): number {
    if (this.pageSizes.length === 0) throw this.#error('EINVAL', `an ${this.type} domain has no mappings`);
    return this.pageSizes[0];
  }

  #error(code: Errno, message: string): LinuxError {
    return new LinuxError(code, `${this.iommu.path}: ${message}`);
  }
}

/**
 * The largest page that both addresses are aligned to and that the rest has room for; of these as many as there are up to
 * where a larger page could begin. @linux iommu_pgsize
 */
function nextRun(
  pageSizes: readonly number[],
  iova: number,
  pa: number,
  leftBytes: number,
): { pageBytes: number; count: number } {
  const fits = (size: number) => size <= leftBytes && isAligned(iova, size) && isAligned(pa, size);
  let at = pageSizes.length - 1;
  while (at > 0 && !fits(pageSizes[at])) at--;
  const pageBytes = pageSizes[at];
  const larger = pageSizes[at + 1];
  if (larger !== undefined && iova % larger === pa % larger) {
    const offset = larger - (iova % larger);
    if (offset + larger <= leftBytes) return { pageBytes, count: offset / pageBytes };
  }
  return { pageBytes, count: Math.floor(leftBytes / pageBytes) };
}

function range(iova: number, sizeBytes: number): string {
  return `${hex(iova)}+${hex(sizeBytes)}`;
}
