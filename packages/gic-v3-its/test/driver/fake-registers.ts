// SPDX-License-Identifier: Apache-2.0
// A register frame of 64-bit registers that a test watches and interferes with.

import { physAddr } from '@irqkit/core';
import type { AccessSize, MmioRegion, PhysAddr } from '@irqkit/core';

export interface Access {
  readonly op: 'r' | 'w';
  readonly frame: string;
  readonly offset: number;
  readonly size: 1 | 2 | 4 | 8;
  readonly value: bigint;
  readonly cpu: number;
}

export abstract class FakeFrame implements MmioRegion {
  readonly base: PhysAddr;
  readonly sizeBytes: number;
  /** Every access there was. */
  readonly #trace: Access[];
  readonly #name: string;
  readonly #cpu: () => number;

  constructor(name: string, base: number, sizeBytes: number, trace: Access[], cpu: () => number) {
    this.base = physAddr(base);
    this.sizeBytes = sizeBytes;
    this.#name = name;
    this.#trace = trace;
    this.#cpu = cpu;
  }

  protected abstract load(register: number): bigint;
  protected abstract store(register: number, value: bigint): void;

  at(offset: number): PhysAddr {
    return physAddr(this.base + offset);
  }

  read(offset: number, size: AccessSize): number {
    const low = offset % 8 === 0;
    const value = BigInt.asUintN(32, this.load(offset - (low ? 0 : 4)) >> (low ? 0n : 32n));
    this.#record('r', offset, size, value);
    return Number(value);
  }

  write(offset: number, value: number, size: AccessSize): void {
    this.#record('w', offset, size, BigInt(value));
    if (offset % 8 !== 0) throw new Error('the fakes take no high words');
    this.store(offset, (this.load(offset) & 0xffff_ffff_0000_0000n) | BigInt(value));
  }

  write64(offset: number, lo: number, hi: number): void {
    const value = (BigInt(hi) << 32n) | BigInt(lo);
    this.#record('w', offset, 8, value);
    this.store(offset, value);
  }

  #record(op: 'r' | 'w', offset: number, size: Access['size'], value: bigint): void {
    this.#trace.push({ op, frame: this.#name, offset, size, value, cpu: this.#cpu() });
  }
}

export class FakeRedistributor extends FakeFrame {
  /** EnableLPIs goes back to 0 when told to. */
  letsGo = true;
  /** Reads of GICR_CTLR for which RWP stays 1 after LPIs are disabled. */
  rwpReads = 0;
  /** The Shareability that PROPBASER and PENDBASER keep. */
  shareable = true;
  ctlr = 2n;
  propbaser = 0n;
  pendbaser = 0n;
  #rwp = 0;

  protected load(register: number): bigint {
    switch (register) {
      case 0x00:
        return this.#rwp-- > 0 ? this.ctlr | 8n : this.ctlr;
      case 0x70:
        return this.propbaser;
      case 0x78:
        return this.pendbaser;
      default:
        throw new Error(`GICR + 0x${register.toString(16)} is nothing a driver of LPIs needs`);
    }
  }

  protected store(register: number, value: bigint): void {
    const kept = this.shareable ? value : value & ~0xc00n;
    switch (register) {
      case 0x00:
        if ((value & 1n) === 0n && (this.ctlr & 1n) === 1n) this.#rwp = this.rwpReads;
        this.ctlr = this.letsGo ? value : value | (this.ctlr & 1n);
        break;
      case 0x70:
        this.#mustBeDisabled();
        this.propbaser = kept;
        break;
      case 0x78:
        this.#mustBeDisabled();
        this.pendbaser = kept;
        break;
      default:
        throw new Error(`GICR + 0x${register.toString(16)} is nothing a driver of LPIs needs`);
    }
  }

  #mustBeDisabled(): void {
    if ((this.ctlr & 1n) === 1n) throw new Error('LPI tables changed while LPIs are enabled');
  }
}
