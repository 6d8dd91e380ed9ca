// SPDX-License-Identifier: Apache-2.0
// The contracts of irqkit and the frameworks over them: plugins and hosts, irq domains, MSI, doorbells, IOMMU groups and domains.

import './polyfill.js';

export { inject, injectable } from 'tsyringe';
export { iova, physAddr } from './contracts/address.js';
export type { Iova, PhysAddr } from './contracts/address.js';
export { DMA_PAGE_BYTES, sysreg } from './contracts/bus.js';
export type {
  AccessSize,
  Bus,
  CpuPort,
  DmaBuffer,
  DmaMemory,
  MmioRegion,
  Region,
  SystemRegisters,
} from './contracts/bus.js';
export type {
  Description,
  Finding,
  IommuDescription,
  IsolationVerdict,
  MsiControllerDescription,
  SiliconNumber,
} from './contracts/description.js';
export type { Device, MsiTranslation } from './contracts/device.js';
export { doorbellBases } from './contracts/doorbell.js';
export type { GlobalDoorbell, MsiDoorbellInfo, PercpuDoorbells } from './contracts/doorbell.js';
export { ERRNO, LinuxError } from './contracts/errno.js';
export type { Errno } from './contracts/errno.js';
export { FirmwareError } from './contracts/firmware.js';
export type { AddressRange, Firmware, FirmwareNode, InterruptSpec, MappedId } from './contracts/firmware.js';
export { DOORBELL_PROT, IOMMU_PROT } from './contracts/iommu.js';
export type {
  IommuDomain,
  IommuDomainOps,
  IommuDomainType,
  IommuFault,
  IommuGroup,
  IommuOps,
  IommuResvRegion,
  IommuResvType,
  IovaRange,
} from './contracts/iommu.js';
export * from './contracts/model.js';
export { CORE_API, definePlugin } from './contracts/plugin.js';
export type {
  DescriptionEntry,
  Driver,
  DriverEntry,
  Maker,
  ModelEntry,
  Plugin,
  PluginManifest,
  Silicon,
} from './contracts/plugin.js';
export { REDISTRIBUTORS } from './irq/redistributors.js';
export type { Redistributor, Redistributors } from './irq/redistributors.js';
export type { DeviceList, HostLog, ModelContext, ProbeContext } from './host/contexts.js';
export { createHost } from './host/create-host.js';
export type { Host, HostOptions } from './host/create-host.js';
export { Devres } from './host/devres.js';
export { OwnedMemory } from './host/owned-memory.js';
export { isDmaCoherent } from './iommu/dma-coherent.js';
export { UntranslatedDomain } from './iommu/untranslated-domain.js';
export type { UntranslatedDomainOptions } from './iommu/untranslated-domain.js';
export type { SupplierToken } from './host/suppliers.js';
export { indexEntries, matchEntry } from './host/match.js';
export type { Claim, ClaimIndex } from './host/match.js';
export { probeNodes, unprobe } from './host/prober.js';
export type { Probed, ProbeCandidate, ProbeOptions } from './host/prober.js';
export { IommuCore } from './iommu/iommu-core.js';
export type { IommuCoreOptions } from './iommu/iommu-core.js';
export type { IommuSettings } from './iommu/default-domain.js';
export { mergeResvRegions } from './iommu/resv-regions.js';
export { UserDomain } from './iommu/user-domain.js';
export type { MsiPolicy } from './iommu/user-domain.js';
export { DmaDomain } from './iommu/dma-domain.js';
export type { DmaDomainOptions } from './iommu/dma-domain.js';
export { FlushQueue } from './iommu/flush-queue.js';
export { IotlbGather } from './iommu/iotlb-gather.js';
export { IovaDomain } from './iommu/iova/iova-domain.js';
export type { IovaDomainOptions } from './iommu/iova/iova-domain.js';
export { MsiBindings } from './iommu/msi-bindings/msi-bindings.js';
export type { DoorbellIovas, MsiBinding } from './iommu/msi-bindings/msi-bindings.js';
export {
  SW_MSI_IOVA_BASE,
  SW_MSI_IOVA_LENGTH,
  SW_MSI_REGION,
  getMsiCookie,
} from './iommu/msi-bindings/sw-msi-window.js';
export { UserMsiWindow } from './iommu/msi-bindings/user-msi-window.js';
export type { MsiWindowRange } from './iommu/msi-bindings/user-msi-window.js';
export { PagingDomain } from './iommu/paging-domain.js';
export type { PagingDomainOptions } from './iommu/paging-domain.js';
export type { Flow } from './irq/flow.js';
export { IRQ_TYPE } from './irq/irq-chip.js';
export type { IrqChip, IrqCommonData, IrqData, MsiMsg } from './irq/irq-chip.js';
export { IrqCore } from './irq/irq-core.js';
export type { IrqAction, IrqDesc, IrqHandler } from './irq/irq-desc.js';
export { IRQ_DOMAIN_FLAG, IrqDomain } from './irq/irq-domain.js';
export type { BusToken, IrqAllocInfo, IrqDomainOps, IrqDomainOptions } from './irq/irq-domain.js';
export type { RootHandler } from './irq/irq-entry.js';
export { parentChip } from './irq/parent-chip.js';
export { formatProcInterrupts, interruptRows } from './irq/proc-interrupts.js';
export type { InterruptRow } from './irq/proc-interrupts.js';
export { lookupDoorbell } from './msi/doorbell-lookup.js';
export { DoorbellRegistry } from './msi/doorbell-registry.js';
export type { DoorbellHandle } from './msi/doorbell-registry.js';
export { msiDomainAllocIrqs, msiDomainFreeIrqs } from './msi/msi-alloc.js';
export type { MsiDescSpec } from './msi/msi-alloc.js';
export type { MsiDesc, MsiHardware } from './msi/msi-desc.js';
export { MSI_FLAG } from './msi/msi-domain-info.js';
export type { MsiDomainInfo, MsiParentOps } from './msi/msi-domain-info.js';
export { createMsiDomain, msiGetDomainInfo } from './msi/msi-domain.js';
export type { MsiDomainOptions } from './msi/msi-domain.js';
export { PlatformDevice } from './msi/platform-msi.js';
export * from './tokens.js';
