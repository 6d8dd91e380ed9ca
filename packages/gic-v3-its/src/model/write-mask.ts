// SPDX-License-Identifier: Apache-2.0
// Which bits of GITS_CBASER and GITS_BASER<n> can be written. IHI 0069, "The ITS register descriptions".

import { GITS_BASER, GITS_BASER_TYPE, GITS_CBASER } from '../regs.js';
import type { ItsParameters } from '../silicon.js';

/** The bits of a 64-bit register, two words: all of each field. */
function bitsOf(fields: readonly { readonly hi: number; readonly lo: number }[]): Uint32Array {
  const mask = new Uint32Array(2);
  for (const { hi, lo } of fields) for (let bit = lo; bit <= hi; bit++) mask[bit >>> 5] |= 1 << (bit & 31);
  return mask;
}

// CHOICE: GITS_CBASER bits [15:12] are RAZ/WI: a command queue begins at a multiple of 64 KiB.
const QUEUE_ADDRESS = { hi: GITS_CBASER.Physical_Address.hi, lo: 16 };

/** What of GITS_CBASER can be written. */
export function cbaserMask(parameters: ItsParameters): Uint32Array {
  const { Size, OuterCache, InnerCache, Valid } = GITS_CBASER;
  const mask = bitsOf([Size, QUEUE_ADDRESS, OuterCache, InnerCache, Valid]);
  GITS_CBASER.Shareability.put(mask, parameters.shareability);
  return mask;
}

/** What of the GITS_BASER<n> that resets to `reset` can be written: nothing where there is no table. */
export function baserMask(parameters: ItsParameters, reset: Uint32Array): Uint32Array {
  const type = GITS_BASER.Type(reset);
  if (type === GITS_BASER_TYPE.NONE) return new Uint32Array(2);
  const { Size, Physical_Address, OuterCache, InnerCache, Valid, Page_Size, Indirect } = GITS_BASER;
  const listed = type === GITS_BASER_TYPE.COLLECTIONS && parameters.layout.CTE.ICID !== undefined;
  const fields = [Size, Physical_Address, OuterCache, InnerCache, Valid];
  if (parameters.pageSizeWritable) fields.push(Page_Size);
  if (parameters.indirect && !listed) fields.push(Indirect);
  const mask = bitsOf(fields);
  GITS_BASER.Shareability.put(mask, parameters.shareability);
  return mask;
}

/** Writes two words to a register, as far as `mask` lets them through. */
export function writeMasked(register: Uint32Array, mask: Uint32Array, lo: number, hi: number): void {
  register[0] = (register[0] & ~mask[0]) | (lo & mask[0]);
  register[1] = (register[1] & ~mask[1]) | (hi & mask[1]);
}
