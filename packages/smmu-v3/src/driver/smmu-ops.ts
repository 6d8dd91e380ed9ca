// SPDX-License-Identifier: Apache-2.0
// One SMMU as the IOMMU framework sees it.
// UNIMP: ATS

import { LinuxError } from '@irqkit/core';
import type { Device, IommuDomainOps, IommuDomainType, IommuOps, IommuResvRegion, Iova, MappedId } from '@irqkit/core';
import type { SmmuParts } from './smmu-parts.js';
import { TranslatedDomain } from './translated-domain.js';
import { UntranslatedDomain } from './untranslated-domain.js';

/** @linux MSI_IOVA_BASE, MSI_IOVA_LENGTH */
const SW_MSI: IommuResvRegion = {
  base: 0x800_0000 as Iova,
  sizeBytes: 0x10_0000,
  type: 'sw-msi',
  prot: 0,
};

/** @linux arm_smmu_ops */
export class SmmuOps implements IommuOps {
  readonly translatesMsi = true;
  readonly #parts: SmmuParts;

  constructor(parts: SmmuParts) {
    this.#parts = parts;
  }

  probeDevice(device: Device, ids: readonly MappedId[]): void {
    this.#parts.masters.add(device, ids);
  }

  releaseDevice(device: Device): void {
    this.#parts.masters.remove(device);
  }

  allocDomain(type: IommuDomainType): IommuDomainOps {
    switch (type) {
      case 'dma':
      case 'unmanaged':
        return new TranslatedDomain(this.#parts);
      case 'identity':
      case 'blocked':
        return new UntranslatedDomain(this.#parts, type);
      default:
        throw new LinuxError('EINVAL', `${this.#parts.unit.path}: no domains of type ${String(type)}`);
    }
  }

  resvRegions(): readonly IommuResvRegion[] {
    return [SW_MSI];
  }
}
