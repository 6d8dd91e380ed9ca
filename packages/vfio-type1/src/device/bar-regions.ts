// SPDX-License-Identifier: Apache-2.0
// The BARs as regions of a device's descriptor. Source: the behaviour of Linux 6.1 vfio_pci_probe_mmaps, vfio_pci_bar_rw.
// UNIMP: read and write of I/O regions

import { alignUp } from '@irqkit/bits';
import { LinuxError, physAddr } from '@irqkit/core';
import type { AccessSize, Bus, MmioRegion } from '@irqkit/core';
import type { PciBar, PciDevice } from '@irqkit/pci/host';
import type { RegionInfo } from '../abi/device-region-info.js';
import { REGION_FLAGS } from '../abi/device-region-info.js';
import type { DeviceMemory } from '../process/open-file.js';
import { CAP_ID, MSIX_ENTRY_BYTES, MSIX_Message_Control, MSIX_Table } from './config/config-regs.js';
import { getBytes, putBytes } from './config/little-endian.js';

const PAGE_BYTES = 4096;

/** Where the MSI-X table is. */
interface TablePlace {
  readonly bar: number;
  readonly first: number;
  /** Exclusive. */
  readonly end: number;
}

export class BarRegions {
  readonly #device: PciDevice;
  readonly #bus: Bus;
  readonly #table: TablePlace | undefined;
  readonly #mapped = new Map<number, MmioRegion>();

  constructor(device: PciDevice, bus: Bus) {
    this.#device = device;
    this.#bus = bus;
    this.#table = tablePlace(device);
  }

  info(index: number): RegionInfo {
    const bar = this.#bar(index);
    if (!bar) return { sizeBytes: 0, flags: 0 };
    const flags = REGION_FLAGS.READ | REGION_FLAGS.WRITE;
    if (!isMappable(bar)) return { sizeBytes: bar.sizeBytes, flags };
    return { sizeBytes: bar.sizeBytes, flags: flags | REGION_FLAGS.MMAP, msixMappable: this.#table?.bar === index };
  }

  /** @throws LinuxError EINVAL */
  mmap(index: number, offset: number, sizeBytes: number): DeviceMemory {
    const bar = this.#bar(index);
    if (!bar || !isMappable(bar) || offset + sizeBytes > alignUp(bar.sizeBytes, PAGE_BYTES))
      throw new LinuxError('EINVAL', `${this.#device.name}: ${sizeBytes} bytes at ${offset} of region ${index}`);
    return { base: physAddr(this.#device.barRegion(index).base + offset), sizeBytes };
  }

  /** Where the MSI-X table is, ones are read. @throws LinuxError EINVAL beyond the region */
  read(index: number, offset: number, into: Uint8Array): number {
    const region = this.#mappedRegion(index);
    const { length, hidden } = this.#extent(index, region, offset, into.length);
    into.fill(0xff, 0, length);
    for (const { at, size } of accesses(offset, length, hidden))
      putBytes(into, at - offset, size, region.read(at, size));
    return length;
  }

  /** Nothing is written where the MSI-X table is. */
  write(index: number, offset: number, from: Uint8Array): number {
    const region = this.#mappedRegion(index);
    const { length, hidden } = this.#extent(index, region, offset, from.length);
    for (const { at, size } of accesses(offset, length, hidden))
      region.write(at, getBytes(from, at - offset, size), size);
    return length;
  }

  release(): void {
    for (const region of this.#mapped.values()) this.#bus.unmap(region);
    this.#mapped.clear();
  }

  #bar(index: number): PciBar | undefined {
    return this.#device.bars.find((bar) => bar.index === index && bar.address !== undefined);
  }

  // Mapped on first use, until the device is closed.
  #mappedRegion(index: number): MmioRegion {
    const known = this.#mapped.get(index);
    if (known) return known;
    if (!this.#bar(index)) throw new LinuxError('EINVAL', `${this.#device.name}: no region ${index}`);
    const region = this.#bus.map(this.#device.barRegion(index));
    this.#mapped.set(index, region);
    return region;
  }

  #extent(index: number, { sizeBytes }: MmioRegion, offset: number, wanted: number): Extent {
    if (offset >= sizeBytes)
      throw new LinuxError('EINVAL', `${this.#device.name}: offset ${offset} of region ${index}`);
    const hidden = this.#table?.bar === index ? this.#table : undefined;
    return { length: Math.min(wanted, sizeBytes - offset), hidden };
  }
}

interface Extent {
  readonly length: number;
  readonly hidden: TablePlace | undefined;
}

/** Aligned accesses of [offset, offset + length) without the hidden part. @linux vfio_pci_core_do_io_rw */
function* accesses(
  offset: number,
  length: number,
  hidden: TablePlace | undefined,
): Generator<{ readonly at: number; readonly size: AccessSize }> {
  const end = offset + length;
  for (let at = offset; at < end;) {
    if (hidden && at >= hidden.first && at < hidden.end) {
      at = hidden.end;
      continue;
    }
    const left = (hidden && at < hidden.first ? Math.min(end, hidden.first) : end) - at;
    const size = left >= 4 && at % 4 === 0 ? 4 : left >= 2 && at % 2 === 0 ? 2 : 1;
    yield { at, size };
    at += size;
  }
}

/** Whole pages, or the start of one that nothing else is given. */
function isMappable({ space, sizeBytes, address }: PciBar): boolean {
  return space === 'memory' && address !== undefined && (sizeBytes >= PAGE_BYTES || address % PAGE_BYTES === 0);
}

function tablePlace(device: PciDevice): TablePlace | undefined {
  const at = device.findCapability(CAP_ID.MSIX);
  if (at === undefined) return undefined;
  const table = device.config.get(MSIX_Table, at);
  const entries = MSIX_Message_Control.Table_Size(device.config.get(MSIX_Message_Control, at)) + 1;
  const first = MSIX_Table.Offset(table) * 8;
  return { bar: MSIX_Table.BIR(table), first, end: first + entries * MSIX_ENTRY_BYTES };
}
