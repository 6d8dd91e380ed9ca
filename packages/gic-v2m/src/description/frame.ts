// SPDX-License-Identifier: Apache-2.0
// One MSI frame as its driver, its model and its description all see it: where it is, its SPIs, its messages.

import { DOORBELL_PROT, LinuxError } from '@irqkit/core';
import type { FirmwareNode, GlobalDoorbell, PhysAddr } from '@irqkit/core';
import { FIRST_SPI, MSI_SETSPI_NS, MSI_TYPER, SPI_LIMIT } from '../regs.js';
import { dataOrigin } from './variants.js';
import type { V2mVariant } from './variants.js';

/** The SPIs of a frame, by INTID. */
export interface SpiRange {
  readonly firstSpi: number;
  readonly nrSpis: number;
}

export interface V2mFrame extends SpiRange {
  readonly base: PhysAddr;
  readonly variant: V2mVariant;
}

/** What MSI_TYPER says. */
export function spisOfTyper(typer: number): SpiRange {
  return { firstSpi: MSI_TYPER.BASE_SPI(typer), nrSpis: MSI_TYPER.NUM_SPIS(typer) };
}

/** `arm,msi-base-spi` and `arm,msi-num-spis`, where both stand and neither is 0: they override MSI_TYPER. */
export function spisOfNode(node: FirmwareNode): SpiRange | undefined {
  const firstSpi = node.u32('arm,msi-base-spi');
  const nrSpis = node.u32('arm,msi-num-spis');
  return firstSpi && nrSpis ? { firstSpi, nrSpis } : undefined;
}

/** Linux 6.1's bounds. @throws LinuxError EINVAL @linux is_msi_spi_valid */
export function checkSpis(path: string, { firstSpi, nrSpis }: SpiRange): void {
  if (firstSpi < FIRST_SPI) throw new LinuxError('EINVAL', `${path}: MSI base SPI ${firstSpi} is below ${FIRST_SPI}`);
  if (nrSpis === 0 || firstSpi + nrSpis > SPI_LIMIT)
    throw new LinuxError('EINVAL', `${path}: ${nrSpis} SPIs from ${firstSpi} are none or end beyond ${SPI_LIMIT}`);
}

/** Where a device writes to raise `intid`. @linux gicv2m_get_msi_addr */
export function messageAddress({ base, variant }: V2mFrame, intid: number): PhysAddr {
  const offset = variant.bytesPerSpi === 0 ? MSI_SETSPI_NS.offset : (intid - FIRST_SPI) * variant.bytesPerSpi;
  return (base + offset) as PhysAddr;
}

/** What it writes there. */
export function messageData({ firstSpi, variant }: V2mFrame, intid: number): number {
  return variant.bytesPerSpi === 0 ? intid - dataOrigin(variant, firstSpi) : 0;
}

/** The span of the addresses that messages carry. Every device may write any of it: nothing is remapped. */
export function doorbellOf(frame: V2mFrame): GlobalDoorbell {
  const first = messageAddress(frame, frame.firstSpi);
  const last = messageAddress(frame, frame.firstSpi + frame.nrSpis - 1);
  return { globalDoorbell: first, sizeBytes: last - first + 4, prot: DOORBELL_PROT, irqRemapping: false };
}
