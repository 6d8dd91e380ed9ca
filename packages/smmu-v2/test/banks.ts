// SPDX-License-Identifier: Apache-2.0
// Context banks and tables for tests, put together by hand: register values as Arm IHI 0062 prints the fields, descriptors as Arm
// DDI 0487, chapter D8, does.

import { regs } from '@irqkit/smmu-v2';
import type { SmmuRig } from './smmu-rig.js';

export const TABLES1 = 0x4100_0000;
export const TABLES2 = 0x4200_0000;
/** SMR.VALID. */
export const VALID = 0x8000_0000;
/** S2CR.TYPE, [17:16]. */
export const BYPASS = 0x1_0000;
export const FAULT = 0x2_0000;
/** SCTLR: CFIE, CFRE, M. */
export const ENABLED = 0x61;
/** SCTLR.HUPCF, [8]. */
export const HUPCF = 0x100;

export interface BankOptions {
  readonly ttb?: number;
  readonly asid?: number;
  readonly vmid?: number;
  readonly sctlr?: number;
  /** CBAR.TYPE, [17:16]. */
  readonly type?: number;
  /** CBAR.CBNDX, [15:8], of stage 2. */
  readonly bank2?: number;
  readonly tcr?: number;
  readonly tcr2?: number;
  readonly ttbr1?: bigint;
}

/** AArch64, 4 KiB, 48 bits by TTBR0, EPD1; ASIDs of 16 bits, the sign in bit 48, physical addresses of 48 bits. */
export function stage1(rig: SmmuRig, bank: number, options: BankOptions = {}): void {
  const { ttb = TABLES1, asid = 1, vmid = 0, sctlr = ENABLED, type = 1, bank2 = 0 } = options;
  const { tcr = 0x0080_0010, tcr2 = 0x3_8015, ttbr1 = 0n } = options;
  rig.writeAt(regs.CBA2R, bank, 1, 1);
  rig.writeAt(regs.CBAR, bank, type * 0x1_0000 + bank2 * 0x100 + vmid, 1);
  rig.writeBank(bank, regs.TCR2, tcr2);
  rig.writeBank(bank, regs.TCR, tcr);
  rig.writeBank64(bank, regs.TTBR0, (BigInt(asid) << 48n) | BigInt(ttb));
  rig.writeBank64(bank, regs.TTBR1, ttbr1);
  rig.writeBank(bank, regs.SCTLR, sctlr);
}

/** AArch64, 4 KiB, 40 bits from level 1, physical addresses of 48 bits. */
export function stage2(rig: SmmuRig, bank: number, options: BankOptions = {}): void {
  const { ttb = TABLES2, vmid = 0, sctlr = ENABLED, tcr = 0x8005_0058 } = options;
  rig.writeAt(regs.CBA2R, bank, 1, 1);
  rig.writeAt(regs.CBAR, bank, vmid, 1);
  rig.writeBank(bank, regs.TCR, tcr);
  rig.writeBank64(bank, regs.TTBR0, BigInt(ttb));
  rig.writeBank(bank, regs.SCTLR, sctlr);
}

/** AF, SH of inner, AP of read and write for all, nG. */
export const RW_PAGE = 0xf43n;
/** As RW_PAGE, read-only. */
export const RO_PAGE = 0xfc3n;
/** As RW_PAGE without AF. */
export const OLD_PAGE = 0xb43n;
/** Stage 2: AF, SH, S2AP of both, MemAttr of normal memory. */
export const S2_PAGE = 0x7ffn;

/**
 * Maps the 4 KiB page of `va` by the tables at `root`, whose first level is `first`. Tables are put behind `root`, in the order
 * in which the rig needs them; `base` is added to where tables point: their IPA.
 */
export function map(
  rig: SmmuRig,
  root: number,
  va: bigint,
  pa: number,
  { attributes = RW_PAGE, first = 0, base = 0 }: { attributes?: bigint; first?: number; base?: number } = {},
): void {
  let table = root;
  for (let level = first; level < 3; level++) {
    const indexBits = level === first && first === 1 ? 0x3ffn : 0x1ffn;
    const at = table + Number((va >> BigInt(39 - level * 9)) & indexBits) * 8;
    const known = rig.ram.read64(at);
    if (known === 0n) {
      const next = root + 0x2000 + 0x1000 * rig.nrTables++;
      rig.ram.write64(at, BigInt(next + base) | 3n);
      table = next;
    } else table = Number(known & 0xffff_ffff_f000n) - base;
  }
  rig.ram.write64(table + Number((va >> 12n) & 0x1ffn) * 8, BigInt(pa) | attributes);
}
