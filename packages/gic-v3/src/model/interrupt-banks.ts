// SPDX-License-Identifier: Apache-2.0
// The register banks that the Distributor has for SPIs, again for extended SPIs, and each Redistributor's SGI_base frame for
// its private interrupts: one bit, two bits or one byte for each INTID. Arm IHI 0069 sections 12.9 and 12.11.

import {
  FIRST_SPI,
  GICD_ICACTIVER,
  GICD_ICENABLER,
  GICD_ICPENDR,
  GICD_IGROUPR,
  GICD_ISACTIVER,
  GICD_ISENABLER,
  GICD_ISPENDR,
} from '../regs.js';
import type { GicV3Parameters } from '../silicon.js';
import type { Forwarding } from './forwarding.js';
import type { Interrupts } from './interrupts.js';

/** SGIs are edge-triggered, whatever software writes. */
const SGI_BITS = 0xffff;

export class InterruptBanks {
  readonly #interrupts: Interrupts;
  readonly #forwarding: Forwarding;
  readonly #priorityMask: number;

  constructor(interrupts: Interrupts, forwarding: Forwarding, parameters: GicV3Parameters) {
    this.#interrupts = interrupts;
    this.#forwarding = forwarding;
    this.#priorityMask = (0xff << (8 - parameters.priorityBits)) & 0xff;
  }

  /** A register of one bit each: `bank` is the offset of the Distributor's first register of that name. */
  readBits(bank: number, cpu: number, word: number): number {
    const interrupts = this.#interrupts;
    const slot = interrupts.slot(cpu, word);
    switch (bank) {
      case GICD_IGROUPR.offset:
        return interrupts.group[slot];
      case GICD_ISENABLER.offset:
      case GICD_ICENABLER.offset:
        return interrupts.enabled[slot];
      case GICD_ISPENDR.offset:
      case GICD_ICPENDR.offset:
        return interrupts.pending(slot);
      case GICD_ISACTIVER.offset:
      case GICD_ICACTIVER.offset:
        return interrupts.active[slot];
      default:
        return 0;
    }
  }

  writeBits(bank: number, cpu: number, word: number, value: number): void {
    const interrupts = this.#interrupts;
    const slot = interrupts.slot(cpu, word);
    const bits = value & interrupts.implemented(word);
    switch (bank) {
      case GICD_IGROUPR.offset:
        interrupts.group[slot] = bits;
        break;
      case GICD_ISENABLER.offset:
        interrupts.enabled[slot] |= bits;
        break;
      case GICD_ICENABLER.offset:
        interrupts.enabled[slot] &= ~bits;
        break;
      case GICD_ISPENDR.offset:
        interrupts.latched[slot] |= bits;
        break;
      case GICD_ICPENDR.offset:
        interrupts.latched[slot] &= ~bits;
        break;
      case GICD_ISACTIVER.offset:
        interrupts.active[slot] |= bits;
        break;
      case GICD_ICACTIVER.offset:
        interrupts.active[slot] &= ~bits;
        break;
      default:
        return;
    }
    this.#forwarding.wordChanged(cpu, word);
  }

  /** `size` bytes from `byte` within a word's 32 priorities. */
  readPriorities(cpu: number, word: number, byte: number, size: number): number {
    const first = this.#interrupts.slot(cpu, word) * 32 + byte;
    let value = 0;
    for (let i = 0; i < size; i++) value |= this.#interrupts.priority[first + i] << (i * 8);
    return value >>> 0;
  }

  writePriorities(cpu: number, word: number, byte: number, size: number, value: number): void {
    const first = this.#interrupts.slot(cpu, word) * 32 + byte;
    const implemented = this.#interrupts.implemented(word) >>> byte;
    for (let i = 0; i < size; i++)
      if ((implemented >>> i) & 1) this.#interrupts.priority[first + i] = (value >>> (i * 8)) & this.#priorityMask;
    this.#forwarding.wordChanged(cpu, word);
  }

  /** One of a word's two configuration registers. */
  readConfig(cpu: number, word: number, half: number): number {
    const bits = this.#interrupts.edge[this.#interrupts.slot(cpu, word)] >>> (half * 16);
    let value = 0;
    for (let i = 0; i < 16; i++) value |= ((bits >>> i) & 1) << (i * 2 + 1);
    return value >>> 0;
  }

  writeConfig(cpu: number, word: number, half: number, value: number): void {
    const interrupts = this.#interrupts;
    const slot = interrupts.slot(cpu, word);
    let writable = interrupts.implemented(word);
    if (interrupts.firstIntid(word) < FIRST_SPI) writable &= ~SGI_BITS;
    for (let i = 0; i < 16; i++) {
      const bit = (1 << (i + half * 16)) & writable;
      if ((value >>> (i * 2 + 1)) & 1) interrupts.edge[slot] |= bit;
      else interrupts.edge[slot] &= ~bit;
    }
    this.#forwarding.wordChanged(cpu, word);
  }
}
