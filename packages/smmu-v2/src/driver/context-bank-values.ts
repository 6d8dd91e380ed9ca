// SPDX-License-Identifier: Apache-2.0
// What a context bank's registers hold for a translation table. IHI 0062, SMMU_CBARn to SMMU_CBn_SCTLR; which fields are set: the
// behaviour of Linux 6.1.
// UNIMP: nested translation, of stage 1 by stage 2

import type { Stage1Registers, Stage2Registers } from '@irqkit/pgtable/build';
import { BPSHCFG, CBA2R, CBAR, CBAR_TYPE, SCTLR, TCR, TCR2, TCR2_SEP, TCR_STAGE2, TTBR0, TTBR1 } from '../regs.js';
import type { ContextBank } from './context-banks.js';
import type { SmmuFeatures } from './smmu-features.js';

type Doubleword = readonly [lo: number, hi: number];

/** What the bank does not have is undefined. */
export interface ContextBankValues {
  readonly cba2r: number;
  readonly cbar: number;
  readonly tcr2: number | undefined;
  readonly tcr: number;
  readonly ttbr0: Doubleword;
  readonly ttbr1: Doubleword | undefined;
  readonly mair: Doubleword | undefined;
  readonly sctlr: number;
}

/** CBAR.MemAttr. @linux CBAR_S1_MEMATTR_WB */
const WRITE_BACK = 0xf;
/** TCR.T0SZ of AArch32: at stage 1 bits [2:0]; at stage 2 a signed number with its sign in bit 4. */
const AARCH32_T0SZ_VALUES = 32;

export function contextBankValues(
  features: SmmuFeatures,
  bank: ContextBank,
  registers: Stage1Registers | Stage2Registers,
): ContextBankValues {
  return registers.stage === 1 ? stage1Values(features, bank, registers) : stage2Values(features, bank, registers);
}

function stage1Values(features: SmmuFeatures, bank: ContextBank, registers: Stage1Registers): ContextBankValues {
  const { architecture, aarch64 } = features;
  let cbar = CBAR.TYPE.set(interruptOf(features, bank), CBAR_TYPE.STAGE1_BYPASS);
  cbar = CBAR.MemAttr.set(CBAR.BPSHCFG.set(cbar, BPSHCFG.NON), WRITE_BACK);
  let tcr = TCR.T0SZ.set(0, aarch64 ? registers.T0SZ : registers.T0SZ % AARCH32_T0SZ_VALUES);
  tcr = TCR.IRGN0.set(tcr, registers.IRGN0);
  tcr = TCR.ORGN0.set(tcr, registers.ORGN0);
  tcr = TCR.SH0.set(tcr, registers.SH0);
  tcr = TCR.EPD1.set(tcr, 1);
  tcr = aarch64 ? TCR.TG0.set(tcr, registers.TG0) : TCR.EAE.set(tcr, 1);
  const tcr2 = TCR2.SEP.set(TCR2.PASize.set(0, registers.IPS), TCR2_SEP.UPSTREAM);
  const ttbr0 = new Uint32Array(2);
  TTBR0.ADDRESS.put(ttbr0, registers.ttbr);
  TTBR0.ASID.put(ttbr0, bank.asid);
  const ttbr1 = new Uint32Array(2);
  TTBR1.ASID.put(ttbr1, bank.asid);
  return {
    cba2r: cba2rOf(features, bank),
    cbar,
    tcr2: architecture === 1 ? undefined : TCR2.AS.set(tcr2, aarch64 ? 1 : 0),
    tcr,
    ttbr0: [ttbr0[0], ttbr0[1]],
    ttbr1: [ttbr1[0], ttbr1[1]],
    mair: registers.mair,
    sctlr: SCTLR.ASIDPNE.set(enabled(), 1),
  };
}

function stage2Values(features: SmmuFeatures, bank: ContextBank, registers: Stage2Registers): ContextBankValues {
  const { aarch64, vmid16 } = features;
  const cbar = CBAR.TYPE.set(interruptOf(features, bank), CBAR_TYPE.STAGE2);
  // RES1 for AArch64, and the long format's own bit in AArch32.
  let tcr = TCR_STAGE2.EAE.set(0, 1);
  tcr = TCR_STAGE2.T0SZ.set(tcr, aarch64 ? registers.T0SZ : registers.T0SZ % AARCH32_T0SZ_VALUES);
  tcr = TCR_STAGE2.SL0.set(tcr, registers.SL0);
  tcr = TCR_STAGE2.IRGN0.set(tcr, registers.IRGN0);
  tcr = TCR_STAGE2.ORGN0.set(tcr, registers.ORGN0);
  tcr = TCR_STAGE2.SH0.set(tcr, registers.SH0);
  if (aarch64) tcr = TCR_STAGE2.PASize.set(TCR_STAGE2.TG0.set(tcr, registers.TG0), registers.PS);
  const ttbr0 = new Uint32Array(2);
  TTBR0.ADDRESS.put(ttbr0, registers.vttbr);
  return {
    cba2r: cba2rOf(features, bank),
    cbar: vmid16 ? cbar : CBAR.VMID.set(cbar, bank.vmid),
    tcr2: undefined,
    tcr,
    ttbr0: [ttbr0[0], ttbr0[1]],
    ttbr1: undefined,
    mair: undefined,
    sctlr: enabled(),
  };
}

function interruptOf({ architecture }: SmmuFeatures, { interrupt }: ContextBank): number {
  return architecture === 1 ? CBAR.IRPTNDX.set(0, interrupt) : 0;
}

function cba2rOf({ aarch64, vmid16 }: SmmuFeatures, { vmid }: ContextBank): number {
  const value = CBA2R.VA64.set(0, aarch64 ? 1 : 0);
  return vmid16 ? CBA2R.VMID16.set(value, vmid) : value;
}

/** Faults are reported, and the access that faulted is terminated. */
function enabled(): number {
  let value = SCTLR.CFIE.set(SCTLR.CFRE.set(0, 1), 1);
  value = SCTLR.TRE.set(SCTLR.AFE.set(value, 1), 1);
  return SCTLR.M.set(value, 1);
}
