// SPDX-License-Identifier: Apache-2.0
// The other side of the driver: register spaces that keep what is written. It knows nothing of translation. Offsets and encodings
// are typed from IHI 0062, "Memory map and registers".

import { physAddr } from '@irqkit/core';
import type { AccessSize, MmioRegion, PhysAddr } from '@irqkit/core';

export interface Access {
  readonly op: 'r' | 'w';
  readonly offset: number;
  readonly size: 4 | 8;
  readonly value: bigint;
}

export interface FakeFacts {
  readonly idr0: number;
  readonly idr1: number;
  readonly idr2: number;
  readonly idr7?: number;
  /** Bits that an SMR implements. */
  readonly smr?: number;
}

export const GR0 = {
  CR0: 0x0,
  ACR: 0x10,
  GFAR: 0x40,
  GFSR: 0x48,
  GFSYNR0: 0x50,
  GFSYNR1: 0x54,
  TLBIVMID: 0x64,
  TLBIALLNSNH: 0x68,
  TLBIALLH: 0x6c,
  TLBGSYNC: 0x70,
  TLBGSTATUS: 0x74,
  SMR: 0x800,
  S2CR: 0xc00,
} as const;
export const CB = {
  SCTLR: 0x0,
  ACTLR: 0x4,
  TCR2: 0x10,
  TTBR0: 0x20,
  TTBR1: 0x28,
  TCR: 0x30,
  MAIR0: 0x38,
  MAIR1: 0x3c,
  FSR: 0x58,
  FAR: 0x60,
  FSYNR0: 0x68,
  TLBIVA: 0x600,
  TLBIASID: 0x610,
  TLBIVAL: 0x620,
  TLBIIPAS2: 0x630,
  TLBIIPAS2L: 0x638,
  TLBSYNC: 0x7f0,
  TLBSTATUS: 0x7f4,
} as const;
/** In the second page. */
export const GR1 = { CBAR: 0x0, CBFRSYNRA: 0x400, CBA2R: 0x800 } as const;

/** Every stage, coherent walks, 48 bits, 4 and 64 KiB, AArch32; 32 groups; 8 banks in pages of 4 KiB. */
export const MMU_500: FakeFacts = { idr0: 0x7c00_5e20, idr1: 0x2000_0008, idr2: 0x5555, idr7: 0x21 };

export class FakeSmmu implements MmioRegion {
  readonly base: PhysAddr;
  readonly sizeBytes: number;
  readonly trace: Access[] = [];
  /** False where nobody looks at `trace`: it is long when the driver polls. */
  tracing = true;
  /** How many synchronizations still end; those of all TLBs and of one. */
  syncsLeft = Infinity;
  /** True: 64-bit accesses do not arrive. */
  noDoublewords = false;
  /** Called when a fault is recorded: undefined for a global one. */
  onFault: (bank: number | undefined) => void = () => undefined;
  readonly registers = new Map<number, number>();
  readonly #smr: number;
  #active = false;

  constructor(facts: FakeFacts, base = 0x2b40_0000, sizeBytes = 0x1_0000) {
    this.base = physAddr(base);
    this.sizeBytes = sizeBytes;
    this.#smr = facts.smr ?? 0x7fff;
    for (const [offset, value] of [
      [0x20, facts.idr0],
      [0x24, facts.idr1],
      [0x28, facts.idr2],
      [0x3c, facts.idr7 ?? 0x20],
      // ACR locked, CLIENTPD.
      [0x10, 0x400_0000],
      [0x0, 1],
    ])
      this.registers.set(offset, value);
  }

  at(offset: number): PhysAddr {
    return physAddr(this.base + offset);
  }

  get(offset: number): number {
    return this.registers.get(offset) ?? 0;
  }

  get64(offset: number): bigint {
    return (BigInt(this.get(offset + 4)) << 32n) | BigInt(this.get(offset));
  }

  /** A register of a context bank. */
  bank(index: number, offset: number): number {
    return this.get(this.bankAt(index) + offset);
  }

  bankAt(index: number): number {
    return this.#half + index * this.pageBytes;
  }

  get pageBytes(): number {
    return this.get(0x24) >>> 31 ? 0x1_0000 : 0x1000;
  }

  read(offset: number, size: AccessSize): number {
    if (size !== 4) throw new Error('registers are of 4 or 8 bytes');
    this.#checkInside(offset, size);
    const value = this.#isStatus(offset) ? Number(this.#active) : this.get(offset);
    if (this.tracing) this.trace.push({ op: 'r', offset, size, value: BigInt(value) });
    return value;
  }

  write(offset: number, value: number, size: AccessSize): void {
    if (size !== 4 || !Number.isInteger(value) || value < 0 || value > 0xffff_ffff)
      throw new Error(`write of ${value}`);
    this.#checkInside(offset, size);
    if (this.tracing) this.trace.push({ op: 'w', offset, size, value: BigInt(value) });
    this.#store(offset, value);
  }

  write64(offset: number, lo: number, hi: number): void {
    if (this.noDoublewords) throw new Error('a 64-bit access');
    this.#checkInside(offset, 8);
    if (this.tracing) this.trace.push({ op: 'w', offset, size: 8, value: (BigInt(hi) << 32n) | BigInt(lo) });
    this.registers.set(offset, lo);
    this.registers.set(offset + 4, hi);
  }

  /** Records a context fault. FSYNR0.WNR is bit 4. */
  contextFault(bank: number, facts: { fsr: number; fsynr0: number; far: bigint; streamId: number }): void {
    const at = this.bankAt(bank);
    this.registers.set(at + CB.FSR, facts.fsr);
    this.registers.set(at + CB.FSYNR0, facts.fsynr0);
    this.registers.set(at + CB.FAR, Number(facts.far & 0xffff_ffffn));
    this.registers.set(at + CB.FAR + 4, Number(facts.far >> 32n));
    this.registers.set(this.pageBytes + GR1.CBFRSYNRA + 4 * bank, facts.streamId);
    this.onFault(bank);
  }

  globalFault(facts: { gfsr: number; gfsynr0: number; gfar: bigint; streamId: number }): void {
    this.registers.set(GR0.GFSR, facts.gfsr);
    this.registers.set(GR0.GFSYNR0, facts.gfsynr0);
    this.registers.set(GR0.GFSYNR1, facts.streamId);
    this.registers.set(GR0.GFAR, Number(facts.gfar & 0xffff_ffffn));
    this.registers.set(GR0.GFAR + 4, Number(facts.gfar >> 32n));
    this.onFault(undefined);
  }

  /** The bytes of the global half. */
  get #half(): number {
    return 2 ** (((this.get(0x24) >>> 28) & 7) + 1) * this.pageBytes;
  }

  #checkInside(offset: number, size: number): void {
    if (offset < 0 || offset + size > this.sizeBytes) throw new Error(`0x${offset.toString(16)} is not there`);
  }

  /** A context bank's offset within its page; undefined below the banks. */
  #inBank(offset: number): number | undefined {
    return offset < this.#half ? undefined : offset % this.pageBytes;
  }

  #isStatus(offset: number): boolean {
    return offset === GR0.TLBGSTATUS || this.#inBank(offset) === CB.TLBSTATUS;
  }

  #store(offset: number, value: number): void {
    const inBank = this.#inBank(offset);
    if (offset === GR0.TLBGSYNC || inBank === CB.TLBSYNC) this.#active = this.syncsLeft-- <= 0;
    else if (offset === GR0.GFSR || inBank === CB.FSR) this.registers.set(offset, (this.get(offset) & ~value) >>> 0);
    else if (offset >= GR0.SMR && offset < GR0.S2CR) {
      const bits = (this.#smr | (this.#smr << 16) | 0x8000_0000) >>> 0;
      this.registers.set(offset, (value & bits) >>> 0);
    } else this.registers.set(offset, value);
  }
}
