// SPDX-License-Identifier: Apache-2.0
// Which stream table entries are ILLEGAL. Arm IHI 0070, section 5.2.2 "Validity of STE", with AArch32 and big-endian
// tables as if they were not implemented.

import { stage2StartLevel } from '@irqkit/pgtable/walk';
import { STE, STE_CONFIG, STE_EATS, STE_S1FMT, TG0_LOG2 } from '../layouts.js';
import { ADDRESS_SIZE_BITS, IDR0, IDR0_HTTU, IDR0_STALL_MODEL } from '../regs.js';
import type { SmmuParameters } from '../silicon.js';

const STAGE_1 = 0b001;
const STAGE_2 = 0b010;

/** True for an entry with V set that no transaction may use. */
export function isSteIllegal(ste: Uint32Array, parameters: SmmuParameters): boolean {
  const config = STE.Config(ste);
  if (config < STE_CONFIG.BYPASS) return false;
  const stage1 = (config & STAGE_1) !== 0;
  const stage2 = (config & STAGE_2) !== 0;
  if ((stage1 && !parameters.s1p) || (stage2 && !parameters.s2p)) return true;
  if (parameters.ats && config !== STE_CONFIG.BYPASS && isEatsIllegal(ste, parameters)) return true;
  if (usesStrw(config, parameters) && (STE.STRW(ste) & 1) === 1) return true;
  if (stage1 && isStage1Illegal(ste, parameters)) return true;
  if (stage2 && isStage2Illegal(ste, parameters)) return true;
  return usesVmid(ste, parameters) && !parameters.vmid16 && STE.S2VMID(ste) > 0xff;
}

/** True where STE.STRW selects the translation regime. */
export function usesStrw(config: number, { s1p, hyp }: SmmuParameters): boolean {
  return s1p && hyp && config === STE_CONFIG.S1;
}

/** True where translations are tagged with STE.S2VMID. */
export function usesVmid(ste: Uint32Array, parameters: SmmuParameters): boolean {
  const config = STE.Config(ste);
  if (!parameters.s2p || config <= STE_CONFIG.BYPASS) return false;
  return !usesStrw(config, parameters) || STE.STRW(ste) === 0;
}

function isEatsIllegal(ste: Uint32Array, { idr0 }: SmmuParameters): boolean {
  const config = STE.Config(ste);
  const stalls = STE.S2S(ste) === 1;
  if (STE.EATS(ste) === STE_EATS.SPLIT) return config !== STE_CONFIG.NESTED || stalls || IDR0.NS1ATS(idr0) === 1;
  return STE.EATS(ste) === STE_EATS.FULL && stalls && (config & STAGE_2) !== 0;
}

// CHOICE: an S1ContextPtr that is out of range makes the entry ILLEGAL, with and without stage 2 (section 3.4.3).
function isStage1Illegal(ste: Uint32Array, { idr0, ssidSize, cd2l, oas, ias }: SmmuParameters): boolean {
  const stallsChosen = IDR0.STALL_MODEL(idr0) === IDR0_STALL_MODEL.STALL_AND_TERMINATE;
  if (STE.S1STALLD(ste) === 1 && !stallsChosen) return true;
  const cdMax = STE.S1CDMax(ste);
  if (ssidSize !== 0 && cdMax > ssidSize) return true;
  const format = STE.S1Fmt(ste);
  const twoLevel = format === STE_S1FMT.TWO_LEVEL_4K || format === STE_S1FMT.TWO_LEVEL_64K;
  if (ssidSize !== 0 && cdMax !== 0 && !cd2l && twoLevel) return true;
  return STE.S1ContextPtr(ste) >= 2 ** ((STE.Config(ste) & STAGE_2) !== 0 ? ias : oas);
}

function isStage2Illegal(ste: Uint32Array, parameters: SmmuParameters): boolean {
  const { idr0, oas, ias, granules, stt } = parameters;
  if (STE.S2AA64(ste) === 0 || STE.S2ENDI(ste) === 1) return true;
  if (isStallIllegal(STE.S2S(ste), idr0) || isUpdateIllegal(STE.S2HA(ste), STE.S2HD(ste), idr0)) return true;
  const log2Granule = TG0_LOG2[STE.S2TG(ste)];
  if (!granules.includes(log2Granule)) return true;
  const small = log2Granule < 16;
  const outputBits = Math.min(ADDRESS_SIZE_BITS[STE.S2PS(ste)], oas);
  if (STE.S2TTB(ste) >= 2 ** (small ? Math.min(outputBits, 48) : outputBits)) return true;
  const t0sz = STE.S2T0SZ(ste);
  const most = stt ? (small ? 48 : 47) : 39;
  if (t0sz < Math.max(small ? 16 : 12, 64 - ias) || t0sz > most) return true;
  return isWalkInconsistent(64 - t0sz, log2Granule, stage2StartLevel(2 ** log2Granule, STE.S2SL0(ste), oas));
}

/** S2SL0 must leave the first level something to resolve, and no more than 16 concatenated tables. */
function isWalkInconsistent(inputBits: number, log2Granule: number, startLevel: number | undefined): boolean {
  if (startLevel === undefined) return true;
  const levelBits = log2Granule - 3;
  const resolved = inputBits - (log2Granule + (3 - startLevel) * levelBits);
  return resolved < 1 || resolved > levelBits + 4;
}

/** CD.S and STE.S2S, section 5.5. */
export function isStallIllegal(stall: number, idr0: number): boolean {
  const model = IDR0.STALL_MODEL(idr0);
  return model === IDR0_STALL_MODEL.TERMINATE ? stall === 1 : model === IDR0_STALL_MODEL.FORCED_STALL && stall === 0;
}

/** HA and HD of a CD, S2HA and S2HD. */
export function isUpdateIllegal(access: number, dirty: number, idr0: number): boolean {
  const httu = IDR0.HTTU(idr0);
  return (httu === IDR0_HTTU.NONE && (access | dirty) === 1) || (httu === IDR0_HTTU.ACCESS && dirty === 1);
}
