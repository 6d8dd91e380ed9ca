// SPDX-License-Identifier: Apache-2.0
// Endpoints known by their interrupts: they send every vector they have when told to.
// UNIMP: device registers of nvmeLike and nicLike

import { alignUp } from '@irqkit/bits';
import { LinuxError } from '@irqkit/core';
import { CLASS_CODE, DEVICE_PORT_TYPE, MSIX_ENTRY } from '../regs.js';
import { configImage } from './config-image.js';
import { PciEndpoint } from './pci-endpoint.js';

export interface EndpointOptions {
  /** MSI-X table entries: 1 to 2048. */
  readonly vectors: number;
}

const MAX_VECTORS = 2048;
const PAGE = 0x1000;

/** A power of two that holds `first` bytes, the MSI-X table and the Pending Bit Array, each from a page's start. */
function messageBar(vectors: number, first: number): { tableOffset: number; pbaOffset: number; sizeBytes: number } {
  if (!Number.isInteger(vectors) || vectors < 1 || vectors > MAX_VECTORS)
    throw new LinuxError('EINVAL', `${vectors} MSI-X vectors`);
  const pbaOffset = alignUp(first + vectors * MSIX_ENTRY.bytes, PAGE);
  return { tableOffset: first, pbaOffset, sizeBytes: 2 ** Math.ceil(Math.log2(pbaOffset + PAGE)) };
}

/**
 * Storage with a vector for each queue, identified as QEMU's NVMe controller.
 * @throws LinuxError EINVAL for a number of vectors that MSI-X cannot have
 */
export function nvmeLike({ vectors }: EndpointOptions): PciEndpoint {
  const { tableOffset, pbaOffset, sizeBytes } = messageBar(vectors, 0x2000);
  const image = configImage({
    vendorId: 0x1b36,
    deviceId: 0x0010,
    classCode: CLASS_CODE.NVM_EXPRESS,
    revisionId: 2,
    interruptPin: 1,
    express: { portType: DEVICE_PORT_TYPE.ENDPOINT },
    msix: { vectors, bar: 0, tableOffset, pbaOffset },
  });
  return new PciEndpoint(image, [{ index: 0, sizeBytes, space: 'memory', is64: true }]);
}

/**
 * A network card with MSI-X and, for drivers that know no better, multi-message MSI with per-vector masks; identified as an
 * Intel 82574L.
 * @throws LinuxError EINVAL for a number of vectors that MSI-X cannot have
 */
export function nicLike({ vectors }: EndpointOptions): PciEndpoint {
  const { tableOffset, pbaOffset, sizeBytes } = messageBar(vectors, 0);
  const image = configImage({
    vendorId: 0x8086,
    deviceId: 0x10d3,
    classCode: CLASS_CODE.ETHERNET,
    interruptPin: 1,
    express: { portType: DEVICE_PORT_TYPE.ENDPOINT },
    msi: { vectors: Math.min(vectors, 32), maskable: true },
    msix: { vectors, bar: 3, tableOffset, pbaOffset },
  });
  return new PciEndpoint(image, [
    { index: 0, sizeBytes: 0x2_0000, space: 'memory' },
    { index: 2, sizeBytes: 0x20, space: 'io' },
    { index: 3, sizeBytes, space: 'memory' },
  ]);
}
