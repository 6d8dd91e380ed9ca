// SPDX-License-Identifier: Apache-2.0
// What the TLB operations drop. Arm IHI 0062, "TLB maintenance operations"; the forms for the last level narrow what must go, not
// what does. Each is complete when its write is.

import { TLBIIPAS2, TLBIVA, TLBIVA_AARCH32 } from '../regs.js';
import { OWNER_KIND } from './iotlb.js';
import type { Iotlb } from './iotlb.js';
import type { SmmuRegisters } from './smmu-registers.js';

const STAGE1_KINDS = (1 << OWNER_KIND.STAGE1) | (1 << OWNER_KIND.NESTED);
const STAGE2_KIND = 1 << OWNER_KIND.STAGE2;
const EVERY_KIND = STAGE1_KINDS | STAGE2_KIND;
const PAGE_BYTES = 0x1000;
/** VA[55] in TLBIVA's VA_55_44. */
const UPPER = 1 << 11;
const VA_47_44 = 0xf;

export class Invalidations {
  readonly #iotlb: Iotlb;
  readonly #registers: SmmuRegisters;
  readonly #operand = new Uint32Array(2);

  constructor(iotlb: Iotlb, registers: SmmuRegisters) {
    this.#iotlb = iotlb;
    this.#registers = registers;
  }

  /** TLBIALLNSNH, and TLBIALLH: hypervisor contexts are like others. */
  everything(): void {
    this.#iotlb.dropAll();
  }

  /** TLBIVMID */
  ofVmid(vmid: number): void {
    this.#drop(EVERY_KIND, vmid, -1);
  }

  /** TLBIALL of a bank: everything of its VMID. */
  ofBank(bank: number): void {
    this.#drop(EVERY_KIND, this.#registers.vmidOf(bank), -1);
  }

  /** TLBIASID */
  ofAsid(bank: number, asid: number): void {
    this.#drop(STAGE1_KINDS, this.#registers.vmidOf(bank), asid);
  }

  /** TLBIVA and TLBIVAL; TLBIVAA and TLBIVAAL with `everyAsid`. */
  ofAddress(bank: number, lo: number, hi: number, everyAsid: boolean): void {
    if (!this.#registers.isAarch64(bank)) {
      const asid = everyAsid ? -1 : TLBIVA_AARCH32.ASID(lo);
      const first = TLBIVA_AARCH32.VA(lo) * PAGE_BYTES;
      return this.#drop(STAGE1_KINDS, this.#registers.vmidOf(bank), asid, first);
    }
    const operand = this.#operandOf(lo, hi);
    const top = TLBIVA.VA_55_44(operand);
    const first = (top & VA_47_44) * 2 ** 44 + TLBIVA.VA_43_12(operand) * PAGE_BYTES;
    const asid = everyAsid ? -1 : TLBIVA.ASID(operand);
    this.#drop(STAGE1_KINDS, this.#registers.vmidOf(bank), asid, first, (top & UPPER) !== 0);
  }

  /** TLBIIPAS2 and TLBIIPAS2L: not what both stages made of an address. */
  ofIpa(bank: number, lo: number, hi: number): void {
    const operand = this.#operandOf(lo, this.#registers.isAarch64(bank) ? hi : 0);
    const first = TLBIIPAS2.IPA_47_44(operand) * 2 ** 44 + TLBIIPAS2.IPA_43_12(operand) * PAGE_BYTES;
    this.#drop(STAGE2_KIND, this.#registers.vmidOf(bank), -1, first);
  }

  #operandOf(lo: number, hi: number): Uint32Array {
    this.#operand[0] = lo;
    this.#operand[1] = hi;
    return this.#operand;
  }

  #drop(kinds: number, vmid: number, asid: number, first = -1, upper = false): void {
    const last = first < 0 ? -1 : first + PAGE_BYTES - 1;
    this.#iotlb.drop({ kinds, vmid, asid, first: Math.max(first, 0), last, upper });
  }
}
