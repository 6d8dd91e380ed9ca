// SPDX-License-Identifier: Apache-2.0
// Where the register spaces lie. Arm IHI 0062, "The SMMU address space": 2^(NUMPAGENDXB + 1) pages of 4 KiB or 64 KiB are the
// global address space, as many above it are for the context banks, one page each.

import { IDR1 } from './global-space-0.js';

export interface RegisterLayout {
  /** Of each space: 0x1000 or 0x10000. Every register is in the first 4 KiB of its page. */
  readonly pageBytes: number;
  /** Of the global half, as of the half of the context banks: so many banks have a place. */
  readonly nrPages: number;
  /** All of the SMMU. */
  readonly sizeBytes: number;
  /** Offset of global register space 1. */
  readonly globalSpace1: number;
  /** Offset of the first context bank; the following ones are `pageBytes` apart. */
  readonly contextBanks: number;
}

/** The layout that a value of IDR1 says. */
export function registerLayout(idr1: number): RegisterLayout {
  const pageBytes = IDR1.PAGESIZE(idr1) === 1 ? 0x1_0000 : 0x1000;
  const nrPages = 2 ** (IDR1.NUMPAGENDXB(idr1) + 1);
  return {
    pageBytes,
    nrPages,
    sizeBytes: 2 * nrPages * pageBytes,
    globalSpace1: pageBytes,
    contextBanks: nrPages * pageBytes,
  };
}
