// SPDX-License-Identifier: Apache-2.0
// /dev/vfio/vfio: groups that share one I/O address space. Source: the behaviour of Linux 6.1 drivers/vfio/container.c.

import { LinuxError } from '@irqkit/core';
import { containerIoctl } from '../abi/container-ioctl.js';
import type { VfioGroup } from '../group/vfio-group.js';
import type { IoctlArg, OpenFile } from '../process/open-file.js';
import type { Process } from '../process/process.js';
import type { VfioSystem } from '../vfio-system.js';
import { Type1 } from './type1.js';
import type { MapDma, Type1Model, UnmapDma } from './type1-requests.js';
import type { WindowPolicy } from './window-policy.js';

/** @linux VFIO_TYPE1_IOMMU, VFIO_TYPE1v2_IOMMU, VFIO_DMA_CC_IOMMU, VFIO_TYPE1_NESTING_IOMMU, VFIO_UNMAP_ALL, VFIO_UPDATE_VADDR */
export const VFIO_EXTENSION = {
  TYPE1_IOMMU: 1,
  TYPE1v2_IOMMU: 3,
  DMA_CC_IOMMU: 4,
  TYPE1_NESTING_IOMMU: 6,
  UNMAP_ALL: 9,
  UPDATE_VADDR: 10,
} as const;

// UNIMP: translation in a guest's hands (nesting)
const MODELS: Readonly<Record<number, Type1Model>> = {
  [VFIO_EXTENSION.TYPE1_IOMMU]: 'v1',
  [VFIO_EXTENSION.TYPE1v2_IOMMU]: 'v2',
  [VFIO_EXTENSION.TYPE1_NESTING_IOMMU]: 'nesting',
};

export class VfioContainer implements OpenFile {
  readonly path = '/dev/vfio/vfio';
  readonly system: VfioSystem;
  readonly policy: WindowPolicy;
  /** The descriptor that it was opened as. */
  fd = -1;
  readonly #groups = new Set<VfioGroup>();
  #type1: Type1 | undefined;

  readonly #opener: Process;

  private constructor(system: VfioSystem, opener: Process, policy: WindowPolicy) {
    this.system = system;
    this.policy = policy;
    this.#opener = opener;
  }

  /** @internal VfioSystem.openContainer */
  static open(system: VfioSystem, process: Process, policy: WindowPolicy): VfioContainer {
    const container = new VfioContainer(system, process, policy);
    container.fd = process.install(container);
    return container;
  }

  /** In the order in which they came. */
  get groups(): readonly VfioGroup[] {
    return [...this.#groups];
  }

  get hasIommu(): boolean {
    return this.#type1 !== undefined;
  }

  /** Its address space. @throws LinuxError EINVAL before setIommu */
  get iommu(): Type1 {
    if (this.#type1) return this.#type1;
    throw new LinuxError('EINVAL', `${this.path}: no IOMMU is set`);
  }

  /** 1 for an extension that it has, 0 for any other number. @linux VFIO_CHECK_EXTENSION */
  checkExtension(extension: number): number {
    switch (extension) {
      case VFIO_EXTENSION.TYPE1_IOMMU:
      case VFIO_EXTENSION.TYPE1v2_IOMMU:
      case VFIO_EXTENSION.TYPE1_NESTING_IOMMU:
      case VFIO_EXTENSION.UNMAP_ALL:
        return 1;
      case VFIO_EXTENSION.UPDATE_VADDR:
        return this.#type1 && this.policy !== 'user' ? 1 : 0;
      // UNIMP: coherence that an IOMMU enforces (VFIO_DMA_CC_IOMMU)
      // UNIMP: containers without an IOMMU (VFIO_NOIOMMU_IOMMU) and those of other architectures
      default:
        return 0;
    }
  }

  /**
   * Attaches every group. @throws LinuxError EINVAL without a group or where it is set already, ENODEV for a type that is no
   * Type1; EPERM where a device's MSIs are not isolated, naming the doorbell (R18); what attaching throws. No group is
   * attached then. @linux VFIO_SET_IOMMU
   */
  setIommu(type: number): void {
    if (this.#groups.size === 0) throw new LinuxError('EINVAL', `${this.path}: no group is set`);
    if (this.#type1) throw new LinuxError('EINVAL', `${this.path}: the IOMMU is set already`);
    const model = MODELS[type] as Type1Model | undefined;
    if (!model) throw new LinuxError('ENODEV', `${this.path}: no IOMMU of type ${type}`);
    const type1 = new Type1({ system: this.system, policy: this.policy, model });
    for (const group of [...this.#groups].reverse())
      try {
        type1.attachGroup(group.iommuGroup);
      } catch (error) {
        type1.release();
        throw error;
      }
    this.#type1 = type1;
  }

  /** Type1.mapDma, for the process that opened the container where no other is named. @throws LinuxError as that, and `iommu` */
  mapDma(request: MapDma, caller = this.#opener): void {
    this.iommu.mapDma(request, caller);
  }

  /** Type1.unmapDma, likewise. @throws LinuxError as that, and `iommu` */
  unmapDma(request: UnmapDma, caller = this.#opener): number {
    return this.iommu.unmapDma(request, caller);
  }

  ioctl(request: number, arg: IoctlArg, caller: Process): number {
    return containerIoctl(this, request, arg, caller);
  }

  /** Groups outlive the file: each holds the container until it leaves. */
  release(): void {
    return undefined;
  }

  /** @internal VfioGroup.setContainer */
  attach(group: VfioGroup): void {
    this.#type1?.attachGroup(group.iommuGroup);
    this.#groups.add(group);
  }

  /** @internal The last group takes the address space along. @linux vfio_group_detach_container */
  detach(group: VfioGroup): void {
    this.#type1?.detachGroup(group.iommuGroup);
    this.#groups.delete(group);
    if (this.#groups.size === 0) this.#type1 = undefined;
  }
}
