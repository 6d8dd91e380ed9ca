// SPDX-License-Identifier: Apache-2.0
// Addresses as `reg` and `ranges` hold them, one to three cells: Devicetree Specification v0.4, section 2.3.5; three cells are
// phys.hi (kept as flags), phys.mid, phys.lo (IEEE 1275 PCI bus binding, section 2.2.1.1).

import { hex } from '@irqkit/bits';
import type { FdtFirmwareNode } from './fdt-firmware-node.js';

/** Kept in halves: bus-local addresses may use all 64 bits, of which a number is exact to 53. */
export interface BusAddress {
  readonly flags: number;
  readonly hi: number;
  readonly lo: number;
}

const WORD = 2 ** 32;
/** Addresses are numbers below this. */
export const ADDRESS_LIMIT = 2 ** 52;
const MOST_SIZE_CELLS = 2;

// UNIMP: addresses of four cells
const MOST_ADDRESS_CELLS = 3;

/** `#address-cells` of a bus: it is not inherited, and 2 where it is absent. */
export function addressCells(bus: FdtFirmwareNode): number {
  return bus.cellCount('#address-cells', MOST_ADDRESS_CELLS) ?? 2;
}

/** `#size-cells` of a bus: it is not inherited, and 1 where it is absent. */
export function sizeCells(bus: FdtFirmwareNode): number {
  return bus.cellCount('#size-cells', MOST_SIZE_CELLS) ?? 1;
}

/** The address in `count` cells from index `at`. */
export function readAddress(cells: readonly number[], at: number, count: number): BusAddress {
  return {
    flags: count === 3 ? cells[at] : 0,
    hi: count >= 2 ? cells[at + count - 2] : 0,
    lo: count >= 1 ? cells[at + count - 1] : 0,
  };
}

/** The size in `count` cells from index `at`; beyond 2^53 to the precision of a double. */
export function readSize(cells: readonly number[], at: number, count: number): number {
  return count === 2 ? cells[at] * WORD + cells[at + 1] : count === 1 ? cells[at] : 0;
}

/** `address` - `base` in bytes, negative below it; exact below 2^53. */
export function distance(address: BusAddress, base: BusAddress): number {
  return (address.hi - base.hi) * WORD + (address.lo - base.lo);
}

/** The address `bytes` above `base`. */
export function above(base: BusAddress, bytes: number): BusAddress {
  const sum = base.lo + bytes;
  const low = sum % WORD;
  return { flags: base.flags, hi: base.hi + (sum - low) / WORD, lo: low };
}

/**
 * An address as one number.
 * @throws FirmwareError for `property` of `node` where it is not below 2^52.
 */
export function toNumber(address: BusAddress, node: FdtFirmwareNode, property: string, cell: number): number {
  if (address.hi * WORD >= ADDRESS_LIMIT)
    throw node.malformed(
      property,
      `address ${hex(address.hi)}${address.lo.toString(16).padStart(8, '0')} is 2^52 or more`,
      cell * 4,
    );
  return address.hi * WORD + address.lo;
}
