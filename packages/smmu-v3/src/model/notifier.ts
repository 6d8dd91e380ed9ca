// SPDX-License-Identifier: Apache-2.0
// One interrupt source: its enable in IRQ_CTRL and, where IDR0.MSI is 1, its *_IRQ_CFG0 to *_IRQ_CFG2. Arm IHI 0070, sections
// 3.18.2, 6.3.16 and 6.3.21.

import { GERROR_IRQ_CFG0, GERROR_IRQ_CFG2, PRIQ_IRQ_CFG2 } from '../regs.js';
import type { InterruptName, Interrupts } from './interrupts.js';

const CFG2 = (GERROR_IRQ_CFG2.MemAttr.mask | GERROR_IRQ_CFG2.SH.mask) >>> 0;

export class Notifier {
  /** Two words. */
  readonly cfg0 = new Uint32Array(2);
  cfg1 = 0;
  enabled = false;
  #cfg2 = 0;
  readonly #name: InterruptName;
  readonly #interrupts: Interrupts;
  readonly #msi: boolean;

  constructor(name: InterruptName, interrupts: Interrupts, msi: boolean) {
    this.#name = name;
    this.#interrupts = interrupts;
    this.#msi = msi;
  }

  get cfg2(): number {
    return this.#cfg2;
  }

  /** Attributes of the message, which the bus of the model does not have; a PRI queue's has LO beside them. */
  set cfg2(value: number) {
    this.#cfg2 = (value & (this.#name === 'priq' ? CFG2 | PRIQ_IRQ_CFG2.LO.mask : CFG2)) >>> 0;
  }

  setAddress(lo: number, hi: number): void {
    const words = Uint32Array.of(lo, hi);
    GERROR_IRQ_CFG0.ADDR.put(this.cfg0, GERROR_IRQ_CFG0.ADDR(words));
  }

  /** False where the message was aborted. */
  notify(): boolean {
    if (!this.enabled) return true;
    this.#interrupts.pulse(this.#name);
    const address = GERROR_IRQ_CFG0.ADDR(this.cfg0);
    return !this.#msi || address === 0 || this.#interrupts.send(address, this.cfg1);
  }
}
