// SPDX-License-Identifier: Apache-2.0
// Regions that firmware reserves in a device's I/O address space: devicetree binding reserved-memory/reserved-memory.yaml
// (`iommu-addresses`); their types as newer Linux's of_iommu_get_resv_regions gives them.
// UNIMP: `iommu-addresses` of devices below a bus with `dma-ranges`

import { hex } from '@irqkit/bits';
import { iova } from '../contracts/address.js';
import type { Device } from '../contracts/device.js';
import { FirmwareError } from '../contracts/firmware.js';
import type { Firmware, FirmwareNode } from '../contracts/firmware.js';
import { IOMMU_PROT } from '../contracts/iommu.js';
import type { IommuResvRegion } from '../contracts/iommu.js';

const PROPERTY = 'iommu-addresses';

/**
 * In the order of /reserved-memory. Where a region lies at its own address it is `direct`, elsewhere `reserved`.
 * @throws FirmwareError @linux of_iommu_get_resv_regions
 */
export function firmwareResvRegions(firmware: Firmware, device: Device): readonly IommuResvRegion[] {
  const { node } = device;
  if (!node) return [];
  const memories = firmware.find('/reserved-memory')?.children ?? [];
  return memories
    .filter((memory) => memory.available)
    .flatMap((memory) => iommuAddresses(firmware, memory).flatMap((entry) => regionOf(memory, node, entry)));
}

interface IommuAddress {
  readonly device: FirmwareNode;
  readonly base: number;
  readonly sizeBytes: number;
}

function iommuAddresses(firmware: Firmware, memory: FirmwareNode): readonly IommuAddress[] {
  const cells = memory.u32s(PROPERTY) ?? [];
  const entries: IommuAddress[] = [];
  for (let at = 0; at < cells.length;) {
    const device = firmware.byPhandle(cells[at]);
    if (!device) throw malformed(memory, `no node has phandle ${hex(cells[at])}`);
    const nrAddress = cellCount(device, '#address-cells', 2);
    const nrSize = cellCount(device, '#size-cells', 1);
    const size = at + 1 + nrAddress;
    const end = size + nrSize;
    if (end > cells.length) throw malformed(memory, 'the last entry is cut short');
    entries.push({ device, base: number(cells.slice(at + 1, size)), sizeBytes: number(cells.slice(size, end)) });
    at = end;
  }
  return entries;
}

function regionOf(
  memory: FirmwareNode,
  node: FirmwareNode,
  { device, base, sizeBytes }: IommuAddress,
): IommuResvRegion[] {
  if (device !== node || sizeBytes === 0) return [];
  const [own] = memory.regs;
  const direct = own !== undefined && Number(own.base) === base && own.sizeBytes === sizeBytes;
  const prot = IOMMU_PROT.READ | IOMMU_PROT.WRITE | (isCoherent(node) ? IOMMU_PROT.CACHE : 0);
  return [{ base: iova(base), sizeBytes, type: direct ? 'direct' : 'reserved', prot: direct ? prot : 0 }];
}

/** `#address-cells` and `#size-cells` of the device itself, or of the nearest parent that has them. */
function cellCount(device: FirmwareNode, property: string, otherwise: number): number {
  for (let node: FirmwareNode | undefined = device; node; node = node.parent) {
    const count = node.u32(property);
    if (count !== undefined) return count;
  }
  return otherwise;
}

/** @linux of_dma_is_coherent */
function isCoherent(device: FirmwareNode): boolean {
  for (let node: FirmwareNode | undefined = device; node; node = node.parent) {
    if (node.has('dma-coherent')) return true;
    if (node.has('dma-noncoherent')) return false;
  }
  return false;
}

function number(cells: readonly number[]): number {
  return cells.reduce((value, cell) => value * 2 ** 32 + cell, 0);
}

function malformed(memory: FirmwareNode, message: string): FirmwareError {
  return new FirmwareError(`${memory.path} ${PROPERTY}`, message);
}
