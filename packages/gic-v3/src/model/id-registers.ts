// SPDX-License-Identifier: Apache-2.0

import { GICD_ID, GICD_PIDR2 } from '../regs.js';

/** PIDR4-7, PIDR0-3 and CIDR0-3 as QEMU's GICv3 has them: a GICv3 designed by Arm. PIDR0 tells the frames apart. */
const ID_BYTES = [0x44, 0x00, 0x00, 0x00, 0x92, 0xb4, 0x3b, 0x00, 0x0d, 0xf0, 0x05, 0xb1] as const;
const PIDR0 = GICD_PIDR2.offset - 8;

/** An identification register of the Distributor, or of a Redistributor; its offset lies in GICD_ID. */
export function readId(offset: number, ofRedistributor: boolean): number {
  if (offset === PIDR0 && ofRedistributor) return ID_BYTES[4] + 1;
  return ID_BYTES[(offset - GICD_ID.offset) >>> 2];
}

export function isIn(bank: { readonly offset: number; readonly sizeBytes: number }, offset: number): boolean {
  return offset >= bank.offset && offset < bank.offset + bank.sizeBytes;
}
