// SPDX-License-Identifier: Apache-2.0
// The toy IOMMU as a plugin, with the places where broken ones differ.

import { CORE_API, definePlugin, iova } from '@irqkit/core';
import type { Device, IommuDomainType, IommuResvRegion, MappedId, Plugin, ProbeContext } from '@irqkit/core';
import { ToyFixedDomain, ToyPagingDomain } from './domain.js';
import { ToyIommuModel } from './model.js';
import { CTRL } from './regs.js';
import { ToyUnit } from './unit.js';

export const IOMMU_COMPATIBLE = 'acme,iommu';

/** Where software maps doorbells, and what firmware keeps for itself. */
export const REGIONS: readonly IommuResvRegion[] = [
  { base: iova(0x800_0000), sizeBytes: 0x10_0000, type: 'sw-msi', prot: 0 },
  { base: iova(0xff0_0000), sizeBytes: 0x10_0000, type: 'reserved', prot: 0 },
];

export interface ToyIommuQuirks {
  readonly Domain?: typeof ToyPagingDomain;
  readonly Unit?: typeof ToyUnit;
  readonly Model?: typeof ToyIommuModel;
  readonly regions?: readonly IommuResvRegion[];
  readonly translatesMsi?: boolean;
}

export function toyIommu(quirks: ToyIommuQuirks = {}): Plugin {
  const { Model = ToyIommuModel } = quirks;
  return definePlugin({
    name: 'toy-iommu',
    coreApi: CORE_API,
    iommus: [{ compatible: [IOMMU_COMPATIBLE], useFactory: (context) => probe(context, quirks) }],
    models: [{ compatible: [IOMMU_COMPATIBLE], useFactory: ({ dma, log }) => new Model(dma, log) }],
  });
}

function probe(context: ProbeContext, quirks: ToyIommuQuirks): object {
  const { node, bus, devres, iommus } = context;
  const { Domain = ToyPagingDomain, Unit = ToyUnit, regions = REGIONS, translatesMsi = true } = quirks;
  const registers = context.ioremap(0);
  const unit = new Unit(node.path, bus.memory, registers);
  registers.write(CTRL.offset, CTRL.Enable.set(0, 1), 4);
  devres.add(() => registers.write(CTRL.offset, 0, 4));
  const remove = iommus.register(node, {
    translatesMsi,
    probeDevice: (device: Device, ids: readonly MappedId[]) => unit.take(device, ids),
    releaseDevice: (device) => unit.release(device),
    allocDomain(type: IommuDomainType) {
      const paging = type === 'dma' || type === 'unmanaged';
      return paging ? new Domain(unit, type) : new ToyFixedDomain(unit, type);
    },
    resvRegions: () => regions,
  });
  devres.add(remove);
  return unit;
}
