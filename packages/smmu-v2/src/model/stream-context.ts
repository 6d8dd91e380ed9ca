// SPDX-License-Identifier: Apache-2.0
// What the registers mean for the transactions of one stream, decoded once for each time a register changes. Arm IHI 0062, "Stream
// mapping" and "Translation contexts".

import { WALK_ACCESS } from '@irqkit/pgtable/walk';
import type { Regime } from '@irqkit/pgtable/walk';
import {
  CBAR,
  CBAR_TYPE,
  CR0,
  GFSR,
  S2CR,
  S2CR_INSTCFG,
  S2CR_PRIVCFG,
  S2CR_TYPE,
  SCTLR,
  TCR,
  TCR2,
  TCR2_SEP,
  TTBR0,
  TTBR1,
} from '../regs.js';
import { OWNER_KIND, tagOf } from './iotlb.js';
import { pairAt, stage1Regime, stage1RegimeAarch32, stage2Regime, wordAt } from './regimes.js';
import type { SmmuRegisters } from './smmu-registers.js';
import { CONFLICT, groupOf, UNMATCHED } from './stream-mapping.js';

/** TCR2.SEP: the sign bit of an input address. */
const SIGN_BITS = [31, 35, 39, 41, 43, 47] as const;
/** Of entries without stage 1; no ASID. */
const NO_ASID = 0x1_0000;

/** How transactions of one stream pass. */
export interface StreamContext {
  /** The bit of GFSR that each of them sets, 0 for none. */
  readonly globalFault: number;
  /** Context banks of the stages, -1 for none; with neither, transactions pass as they are. The first alone may be of stage 2. */
  readonly bank: number;
  readonly bank2: number;
  /** Stage 1 translates: SCTLR.M is 1. Below, and above where `upper` is. */
  readonly stage1: boolean;
  readonly lower: Regime | undefined;
  readonly upper: Regime | undefined;
  /** Bits of a stage 1 address, 32 or 64. */
  readonly va64: boolean;
  /** The bit that an address of 64 bits is sign-extended from; 48 leaves it as it is, 64 has no sign. */
  readonly signBit: number;
  readonly tbi0: boolean;
  readonly tbi1: boolean;
  /** T0SZ and T1SZ of 32-bit addresses. */
  readonly t0sz: number;
  readonly t1sz: number;
  readonly stage2: boolean;
  readonly regime2: Regime | undefined;
  /** SCTLR.PTW of stage 2: no tables in device memory. */
  readonly ptw: boolean;
  /** WALK_ACCESS bits of a read and of a write. */
  readonly readAccess: number;
  readonly writeAccess: number;
  /** Of its entries in the IOTLB: what they are, and whose. */
  readonly tag: number;
  readonly kind: number;
  readonly vmid: number;
  readonly asid: number;
}

const BYPASS: StreamContext = {
  globalFault: 0,
  bank: -1,
  bank2: -1,
  stage1: false,
  lower: undefined,
  upper: undefined,
  va64: true,
  signBit: 64,
  tbi0: false,
  tbi1: false,
  t0sz: 0,
  t1sz: 0,
  stage2: false,
  regime2: undefined,
  ptw: false,
  readAccess: 0,
  writeAccess: WALK_ACCESS.WRITE,
  tag: 0,
  kind: 0,
  vmid: 0,
  asid: 0,
};

export function contextOf(sid: number, registers: SmmuRegisters): StreamContext {
  const { cr0, s2cr } = registers;
  if (CR0.CLIENTPD(cr0) === 1) return BYPASS;
  const group = groupOf(sid, registers);
  if (group === UNMATCHED) return CR0.USFCFG(cr0) === 1 ? faulting(GFSR.USF.mask) : BYPASS;
  if (group === CONFLICT) return CR0.SMCFCFG(cr0) === 1 ? faulting(GFSR.SMCF.mask) : BYPASS;
  const entry = s2cr[group];
  switch (S2CR.TYPE(entry)) {
    case S2CR_TYPE.TRANSLATE:
      return { ...contextOfBank(S2CR.CBNDX(entry), registers), ...accessesOf(entry) };
    case S2CR_TYPE.BYPASS:
      return BYPASS;
    default:
      // CHOICE: the reserved TYPE of 0b11 is a fault context.
      return { ...faulting(GFSR.ICF.mask), ...accessesOf(entry) };
  }
}

function contextOfBank(bank: number, registers: SmmuRegisters): StreamContext {
  const { nrContextBanks, stage2: hasStage2, nested } = registers.parameters;
  if (bank >= nrContextBanks) return faulting(GFSR.UCBF.mask);
  switch (registers.typeOf(bank)) {
    case CBAR_TYPE.STAGE2:
      return hasStage2 ? stage2Context(bank, registers) : faulting(GFSR.ICF.mask);
    case CBAR_TYPE.STAGE1_BYPASS:
      return stage1Context(bank, registers, registers.parameters.oas);
    case CBAR_TYPE.STAGE1_STAGE2:
      return nested ? nestedContext(bank, registers) : faulting(GFSR.ICF.mask);
    default:
      return faulting(GFSR.ICF.mask);
  }
}

function stage2Context(bank: number, registers: SmmuRegisters): StreamContext {
  return {
    ...BYPASS,
    bank,
    ...stage2Of(bank, registers),
    tag: tagOf(bank),
    kind: OWNER_KIND.STAGE2,
    vmid: registers.vmidOf(bank),
  };
}

function nestedContext(bank: number, registers: SmmuRegisters): StreamContext {
  const bank2 = CBAR.CBNDX(registers.cbar[bank]);
  if (bank2 >= registers.parameters.nrContextBanks) return faulting(GFSR.UCBF.mask);
  // CHOICE: a second bank that is not of stage 2 alone is an invalid context.
  if (registers.typeOf(bank2) !== CBAR_TYPE.STAGE2) return faulting(GFSR.ICF.mask);
  const first = stage1Context(bank, registers, registers.parameters.ias);
  const second = stage2Of(bank2, registers);
  return { ...first, bank2, ...second, kind: second.stage2 ? OWNER_KIND.NESTED : OWNER_KIND.STAGE1 };
}

function stage1Context(n: number, registers: SmmuRegisters, outputBits: number): StreamContext {
  const bank = registers.bank(n);
  const { parameters } = registers;
  const va64 = registers.isAarch64(n);
  const tcr = wordAt(bank, TCR);
  const tcr2 = wordAt(bank, TCR2);
  // UNIMP: AArch32 short-descriptor tables
  const long = va64 || TCR.EAE(tcr) === 1;
  const regime = (upper: boolean): Regime | undefined =>
    va64 ? stage1Regime(bank, upper, outputBits, parameters) : stage1RegimeAarch32(bank, upper, outputBits);
  const stage1 = SCTLR.M(bank[0]) === 1;
  return {
    ...BYPASS,
    bank: n,
    stage1,
    lower: long ? regime(false) : undefined,
    upper: long ? regime(true) : undefined,
    va64,
    signBit: signBitOf(tcr2, parameters.signedUpstream),
    tbi0: TCR2.TBI0(tcr2) === 1,
    tbi1: TCR2.TBI1(tcr2) === 1,
    t0sz: TCR.T0SZ(tcr) & 7,
    t1sz: TCR.T1SZ(tcr) & 7,
    tag: tagOf(n),
    kind: OWNER_KIND.STAGE1,
    vmid: registers.vmidOf(n),
    asid: stage1 ? asidOf(bank, va64) : NO_ASID,
  };
}

function stage2Of(n: number, registers: SmmuRegisters): Pick<StreamContext, 'stage2' | 'regime2' | 'ptw'> {
  const bank = registers.bank(n);
  return {
    stage2: SCTLR.M(bank[0]) === 1,
    regime2: stage2Regime(bank, registers.isAarch64(n), registers.parameters),
    ptw: SCTLR.PTW(bank[0]) === 1,
  };
}

/** 8 bits of AArch32, and of AArch64 unless TCR2.AS is 1. */
function asidOf(bank: Uint32Array, va64: boolean): number {
  const second = TCR.A1(wordAt(bank, TCR)) === 1;
  const asid = second ? TTBR1.ASID(pairAt(bank, TTBR1.offset)) : TTBR0.ASID(pairAt(bank, TTBR0.offset));
  return va64 && TCR2.AS(wordAt(bank, TCR2)) === 1 ? asid : asid & 0xff;
}

function signBitOf(tcr2: number, signedUpstream: boolean): number {
  const sep = TCR2.SEP(tcr2);
  if (sep < SIGN_BITS.length) return SIGN_BITS[sep];
  // The reserved value behaves as UPSTREAM.
  return sep <= TCR2_SEP.UPSTREAM && signedUpstream ? 48 : 64;
}

/** A device's accesses are unprivileged ones of data, but for what the entry makes of them; writes are always of data. */
function accessesOf(s2cr: number): Pick<StreamContext, 'readAccess' | 'writeAccess'> {
  const privileged = S2CR.PRIVCFG(s2cr) === S2CR_PRIVCFG.PRIVILEGED ? WALK_ACCESS.PRIVILEGED : 0;
  const instruction = S2CR.INSTCFG(s2cr) === S2CR_INSTCFG.INSTRUCTION ? WALK_ACCESS.INSTRUCTION : 0;
  return { readAccess: privileged | instruction, writeAccess: privileged | WALK_ACCESS.WRITE };
}

function faulting(globalFault: number): StreamContext {
  return { ...BYPASS, globalFault };
}
