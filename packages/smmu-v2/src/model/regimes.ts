// SPDX-License-Identifier: Apache-2.0
// What a context bank's registers say of its tables. Arm IHI 0062, TCR, TCR2 and TTBRn of both formats; Arm DDI 0487, chapters D8
// and G5. What AArch32 long-descriptor tables put out has 40 bits.

import { createRegime, stage2StartLevel } from '@irqkit/pgtable/walk';
import type { Regime } from '@irqkit/pgtable/walk';
import { ADDRESS_SIZE_BITS, SCTLR, TCR, TCR2, TCR_STAGE2, TG0_BYTES, TG1_BYTES, TTBR0, TTBR1 } from '../regs.js';
import type { SmmuParameters } from '../silicon.js';

const AARCH32_OUTPUT_BITS = 40;
const AARCH32_GRANULE = 0x1000;

/** A bank's 64-bit register. */
export function pairAt(bank: Uint32Array, offset: number): Uint32Array {
  return bank.subarray(offset / 4, offset / 4 + 2);
}

/** A bank's 32-bit register. */
export function wordAt(bank: Uint32Array, { offset }: { readonly offset: number }): number {
  return bank[offset / 4];
}

/** By TTBR0, or by TTBR1 with `upper`; undefined where EPDx disables it or the architecture has no such tables. */
export function stage1Regime(
  bank: Uint32Array,
  upper: boolean,
  outputBits: number,
  parameters: SmmuParameters,
): Regime | undefined {
  const tcr = wordAt(bank, TCR);
  const tcr2 = wordAt(bank, TCR2);
  const granuleBytes = upper ? TG1_BYTES[TCR.TG1(tcr)] : TG0_BYTES[TCR.TG0(tcr)];
  if ((upper ? TCR.EPD1(tcr) : TCR.EPD0(tcr)) === 1 || !parameters.granules.includes(granuleBytes)) return undefined;
  return createRegime({
    stage: 1,
    granuleBytes,
    inputBits: 64 - (upper ? TCR.T1SZ(tcr) : TCR.T0SZ(tcr)),
    ttb: ttbOf(bank, upper),
    outputBits: Math.min(ADDRESS_SIZE_BITS[TCR2.PASize(tcr2)], outputBits),
    paBits: outputBits,
    upper,
    tbi: (upper ? TCR2.TBI1(tcr2) : TCR2.TBI0(tcr2)) === 1,
    ...controlsOf(bank),
  });
}

/** The same of AArch32 tables in the long format, where T0SZ and T1SZ have three bits. */
export function stage1RegimeAarch32(bank: Uint32Array, upper: boolean, outputBits: number): Regime | undefined {
  const tcr = wordAt(bank, TCR);
  if ((upper ? TCR.EPD1(tcr) : TCR.EPD0(tcr)) === 1) return undefined;
  return createRegime({
    stage: 1,
    granuleBytes: AARCH32_GRANULE,
    inputBits: 32 - (upper ? TCR.T1SZ(tcr) & 7 : TCR.T0SZ(tcr) & 7),
    ttb: ttbOf(bank, upper),
    outputBits: Math.min(AARCH32_OUTPUT_BITS, outputBits),
    upper,
    ...controlsOf(bank),
  });
}

/** Undefined where the architecture has no such tables. */
export function stage2Regime(bank: Uint32Array, aarch64: boolean, parameters: SmmuParameters): Regime | undefined {
  const { oas, granules } = parameters;
  const tcr = wordAt(bank, TCR_STAGE2);
  const granuleBytes = aarch64 ? TG0_BYTES[TCR_STAGE2.TG0(tcr)] : AARCH32_GRANULE;
  if (aarch64 && !granules.includes(granuleBytes)) return undefined;
  const paBits = aarch64 ? oas : Math.min(AARCH32_OUTPUT_BITS, oas);
  return createRegime({
    stage: 2,
    granuleBytes,
    inputBits: aarch64 ? 64 - TCR_STAGE2.T0SZ(tcr) : 32 - signed4(TCR_STAGE2.T0SZ(tcr)),
    startLevel: stage2StartLevel(granuleBytes, TCR_STAGE2.SL0(tcr), paBits),
    ttb: ttbOf(bank, false),
    outputBits: aarch64 ? Math.min(ADDRESS_SIZE_BITS[TCR_STAGE2.PASize(tcr)], oas) : paBits,
    paBits,
    accessFlagFaults: accessFlagFaults(bank),
  });
}

function controlsOf(bank: Uint32Array): { wxn: boolean; accessFlagFaults: boolean } {
  return { wxn: SCTLR.WXN(bank[0]) === 1, accessFlagFaults: accessFlagFaults(bank) };
}

function accessFlagFaults(bank: Uint32Array): boolean {
  return SCTLR.AFFD(bank[0]) === 0;
}

function ttbOf(bank: Uint32Array, upper: boolean): number {
  return upper ? TTBR1.ADDRESS(pairAt(bank, TTBR1.offset)) : TTBR0.ADDRESS(pairAt(bank, TTBR0.offset));
}

/** T0SZ of AArch32's stage 2: four bits in two's complement. */
function signed4(t0sz: number): number {
  return ((t0sz & 0xf) << 28) >> 28;
}
