// SPDX-License-Identifier: Apache-2.0
// Which context descriptors are ILLEGAL. Arm IHI 0070, section 5.4.2 "Validity of CD", with AArch32 and big-endian
// tables as if they were not implemented.

import { CD, STE, TG0_LOG2, TG1_LOG2 } from '../layouts.js';
import { ADDRESS_SIZE_BITS, IDR0 } from '../regs.js';
import type { SmmuParameters } from '../silicon.js';
import { isStallIllegal, isUpdateIllegal } from './ste-illegal.js';

/** True for a descriptor with V set that no transaction of this entry may use. `el2`: its world is EL2 without E2H. */
export function isCdIllegal(cd: Uint32Array, ste: Uint32Array, el2: boolean, parameters: SmmuParameters): boolean {
  const { idr0 } = parameters;
  const lower = usesTtb0(cd, el2);
  const upper = usesTtb1(cd, el2);
  if (CD.AA64(cd) === 0 || isUpdateIllegal(CD.HA(cd), CD.HD(cd), idr0)) return true;
  if (isStallIllegal(CD.S(cd), idr0) || (CD.S(cd) === 1 && STE.S1STALLD(ste) === 1)) return true;
  if (IDR0.TERM_MODEL(idr0) === 1 && CD.A(cd) === 0) return true;
  if ((lower || upper) && CD.ENDI(cd) === 1) return true;
  if (!el2 && !parameters.asid16 && CD.ASID(cd) > 0xff) return true;
  const outputBits = Math.min(ADDRESS_SIZE_BITS[CD.IPS(cd)], parameters.oas);
  if (lower && isHalfIllegal(CD.T0SZ(cd), TG0_LOG2[CD.TG0(cd)], CD.TTB0(cd), outputBits, parameters)) return true;
  return upper && isHalfIllegal(CD.T1SZ(cd), TG1_LOG2[CD.TG1(cd)], CD.TTB1(cd), outputBits, parameters);
}

/** True where addresses are looked up from TTB0: EPD0 is IGNORED in EL2 without E2H. */
export function usesTtb0(cd: Uint32Array, el2: boolean): boolean {
  return el2 || CD.EPD0(cd) === 0;
}

export function usesTtb1(cd: Uint32Array, el2: boolean): boolean {
  return !el2 && CD.EPD1(cd) === 0;
}

function isHalfIllegal(
  txsz: number,
  log2Granule: number,
  ttb: number,
  outputBits: number,
  { granules, stt, vax52 }: SmmuParameters,
): boolean {
  const small = log2Granule < 16;
  const most = stt ? (small ? 48 : 47) : 39;
  if (txsz < (vax52 && !small ? 12 : 16) || txsz > most) return true;
  return !granules.includes(log2Granule) || ttb >= 2 ** (small ? Math.min(outputBits, 48) : outputBits);
}
