// SPDX-License-Identifier: Apache-2.0
// Which half of a bank's addresses one is in, and how it is extended. Arm IHI 0062, TCR2.SEP; Arm DDI 0406, B3.6.4 for AArch32.

import type { StreamContext } from './stream-context.js';

/** The address in a bank's terms; one for a model, filled in place. */
export interface InputAddress {
  hi: number;
  lo: number;
  /** TTBR1 translates it. */
  upper: boolean;
}

/** False where a bank of 32 bits has no such address. */
export function placeAddress(context: StreamContext, hi: number, lo: number, into: InputAddress): boolean {
  into.hi = hi;
  into.lo = lo;
  if (context.va64) placeWide(context, into);
  else if (hi !== 0) return false;
  else placeNarrow(context, into);
  return true;
}

function placeWide({ signBit }: StreamContext, into: InputAddress): void {
  if (signBit === 31) into.hi = into.lo >> 31;
  else if (signBit < 48) into.hi = (into.hi << (63 - signBit)) >> (63 - signBit);
  into.upper = signBit < 48 ? into.hi < 0 : signBit === 48 && ((into.hi >>> 16) & 1) === 1;
}

/** The upper half has ones above itself, so that the walk takes it as TTBR1's. */
function placeNarrow({ t0sz, t1sz }: StreamContext, into: InputAddress): void {
  into.upper = t1sz > 0 ? into.lo >> (32 - t1sz) === -1 : t0sz > 0 && into.lo >>> (32 - t0sz) !== 0;
  if (into.upper) into.hi = -1;
}
