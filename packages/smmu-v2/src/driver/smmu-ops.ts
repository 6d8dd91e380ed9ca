// SPDX-License-Identifier: Apache-2.0
// One SMMU as the IOMMU framework sees it.

import { LinuxError, SW_MSI_REGION, UntranslatedDomain } from '@irqkit/core';
import type {
  Device,
  IommuDomainOps,
  IommuDomainType,
  IommuGroup,
  IommuOps,
  IommuResvRegion,
  MappedId,
} from '@irqkit/core';
import type { SmmuParts } from './smmu-parts.js';
import { BYPASS } from './stream-entries.js';
import { TranslatedDomain } from './translated-domain.js';

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
    const { unit, masters } = this.#parts;
    switch (type) {
      case 'dma':
      case 'unmanaged':
        return new TranslatedDomain(this.#parts);
      case 'identity':
      case 'blocked':
        return new UntranslatedDomain({
          iommu: unit,
          type,
          outputBits: unit.features.oasBits,
          attach: (device) => masters.attach(device, type === 'identity' ? BYPASS : undefined),
        });
      default:
        throw new LinuxError('EINVAL', `${this.#parts.unit.path}: no domains of type ${String(type)}`);
    }
  }

  resvRegions(): readonly IommuResvRegion[] {
    return [SW_MSI_REGION];
  }

  deviceGroup(device: Device): IommuGroup | undefined {
    return this.#parts.masters.groupOf(device);
  }
}
