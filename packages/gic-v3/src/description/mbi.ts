// SPDX-License-Identifier: Apache-2.0
// Message-based SPIs as driver, model and description see them: which SPIs, and where devices write. Source: devicetree
// binding arm,gic-v3.yaml and irq-gic-v3-mbi.c (Linux 6.1); Arm IHI 0069, GICD_SETSPI_NSR.

import { DOORBELL_PROT, LinuxError, physAddr } from '@irqkit/core';
import type { FirmwareNode, GlobalDoorbell, PhysAddr } from '@irqkit/core';
import { END_OF_ESPIS, FIRST_ESPI, FIRST_SPECIAL, FIRST_SPI, GICD_SETSPI_NSR } from '../regs.js';

/** SPIs that devices may raise, by INTID. */
export interface MbiRange {
  readonly firstSpi: number;
  readonly nrSpis: number;
}

/** Bytes that the alias frame of GICD_SETSPI_NSR and GICD_CLRSPI_NSR takes. */
export const MBI_ALIAS_BYTES = 0x1_0000;

/** True where firmware makes the GIC an MSI controller by its SPIs. */
export function hasMbis(node: FirmwareNode): boolean {
  return node.has('msi-controller') && node.has('mbi-ranges');
}

/** @throws LinuxError EINVAL where `mbi-ranges` is no list of pairs, or names what are no SPIs @linux mbi_init */
export function mbiRanges(node: FirmwareNode): readonly MbiRange[] {
  const cells = node.u32s('mbi-ranges') ?? [];
  if (cells.length === 0 || cells.length % 2 !== 0)
    throw new LinuxError('EINVAL', `${node.path}: mbi-ranges has ${cells.length} cells, pairs are wanted`);
  const ranges: MbiRange[] = [];
  for (let i = 0; i < cells.length; i += 2) {
    const [firstSpi, nrSpis] = [cells[i], cells[i + 1]];
    const end = firstSpi + nrSpis;
    const isSpi = firstSpi >= FIRST_SPI && end <= FIRST_SPECIAL;
    const isExtended = firstSpi >= FIRST_ESPI && end <= END_OF_ESPIS;
    if (nrSpis === 0 || !(isSpi || isExtended))
      throw new LinuxError('EINVAL', `${node.path}: mbi-ranges <${firstSpi} ${nrSpis}> are no SPIs`);
    const other = ranges.find((range) => firstSpi < range.firstSpi + range.nrSpis && range.firstSpi < end);
    if (other) throw new LinuxError('EINVAL', `${node.path}: mbi-ranges <${firstSpi} ${nrSpis}> overlaps another`);
    ranges.push({ firstSpi, nrSpis });
  }
  return ranges;
}

/**
 * Where `mbi-alias` puts a copy of the message registers for the CPU; undefined where the node has none.
 * @throws LinuxError ENXIO where no bus passes the address on
 */
export function mbiAlias(node: FirmwareNode): PhysAddr | undefined {
  const cells = node.u32s('mbi-alias');
  if (cells === undefined) return undefined;
  const address = translate(
    node.parent,
    cells.reduce((value, cell) => value * 0x1_0000_0000 + cell, 0),
  );
  if (address === undefined) throw new LinuxError('ENXIO', `${node.path}: mbi-alias leads nowhere`);
  return physAddr(address);
}

/** What a device writes an SPI's INTID to. Every device may name any: nothing is remapped. */
export function mbiDoorbell(node: FirmwareNode): GlobalDoorbell {
  const base = mbiAlias(node) ?? node.reg(0).base;
  return {
    globalDoorbell: physAddr(base + GICD_SETSPI_NSR.offset),
    sizeBytes: 4,
    prot: DOORBELL_PROT,
    irqRemapping: false,
  };
}

function translate(bus: FirmwareNode | undefined, address: number): number | undefined {
  if (!bus?.parent) return address;
  if (!bus.has('ranges')) return undefined;
  if (bus.bytes('ranges')?.length === 0) return translate(bus.parent, address);
  const range = bus.ranges.find(({ childBase, sizeBytes }) => address >= childBase && address < childBase + sizeBytes);
  return range && range.parentBase + (address - range.childBase);
}
