// SPDX-License-Identifier: Apache-2.0
// The register frames of an ITS: control, then translation with GITS_TRANSLATER. IHI 0069, "The ITS register map".

import type { AccessSize, Doorbell, MmioModel, ModelLog, Requester } from '@irqkit/core';
import {
  GITS_BASER,
  GITS_CBASER,
  GITS_CREADR,
  GITS_CTLR,
  GITS_CWRITER,
  GITS_IIDR,
  GITS_PIDR2,
  GITS_PIDR4,
  GITS_TRANSLATER,
  GITS_TYPER,
} from '../regs.js';
import type { ItsRegisters } from './its-registers.js';
import type { Translation } from './translation.js';

// In a constant of this module, which V8 folds; it does not fold what is imported.
const TRANSLATER = GITS_TRANSLATER.offset;

/** PIDR4-7, PIDR0-3 and CIDR0-3 as in QEMU: designed by Arm. PIDR2 is the silicon's. */
const ID_BYTES = [0x44, 0x00, 0x00, 0x00, 0x94, 0xb4, 0x00, 0x00, 0x0d, 0xf0, 0x05, 0xb1] as const;
const ID_END = GITS_PIDR4.offset + ID_BYTES.length * 4;
const BASER_END = GITS_BASER.offset + GITS_BASER.count * GITS_BASER.stride;

export class ItsFrame implements MmioModel {
  readonly #registers: ItsRegisters;
  readonly #doorbell: Doorbell;
  readonly #log: ModelLog;

  constructor(registers: ItsRegisters, translation: Translation, log: ModelLog) {
    this.#registers = registers;
    this.#doorbell = translation.doorbell;
    this.#log = log;
  }

  read(offset: number, size: AccessSize): number {
    if (!this.#answers(offset, size)) return 0;
    const registers = this.#registers;
    const { parameters, queue } = registers;
    const half = (offset >>> 2) & 1;
    switch (offset - half * 4) {
      case GITS_CTLR.offset:
        return half === 0 ? registers.ctlr : parameters.iidr;
      case GITS_TYPER.offset:
        return parameters.typer[half];
      case GITS_CBASER.offset:
        return queue.cbaser[half];
      case GITS_CWRITER.offset:
        return half === 0 ? queue.cwriter : 0;
      case GITS_CREADR.offset:
        return half === 0 ? queue.creadr : 0;
    }
    if (offset >= GITS_BASER.offset && offset < BASER_END)
      return registers.baser((offset - GITS_BASER.offset) >>> 3)[half];
    if (offset === GITS_PIDR2.offset) return parameters.pidr2;
    if (offset >= GITS_PIDR4.offset && offset < ID_END) return ID_BYTES[(offset - GITS_PIDR4.offset) >>> 2];
    return 0;
  }

  write(offset: number, value: number, size: AccessSize, by: Requester): void {
    if (offset === TRANSLATER && size !== 1) return this.#doorbell.signal(by.deviceId, value);
    if (!this.#answers(offset, size)) return;
    const registers = this.#registers;
    const high = (offset & 4) !== 0;
    const at = offset - (offset & 4);
    switch (at) {
      case GITS_CTLR.offset:
        return high ? this.#readOnly(GITS_IIDR.offset) : registers.setCtlr(value);
      case GITS_CBASER.offset: {
        const { cbaser } = registers.queue;
        return high ? registers.setCbaser(cbaser[0], value) : registers.setCbaser(value, cbaser[1]);
      }
      case GITS_CWRITER.offset:
        return high ? undefined : registers.setCwriter(value);
    }
    if (at < GITS_BASER.offset || at >= BASER_END) return this.#readOnly(offset);
    const n = (at - GITS_BASER.offset) >>> 3;
    const baser = registers.baser(n);
    return high ? registers.setBaser(n, baser[0], value) : registers.setBaser(n, value, baser[1]);
  }

  doorbellAt(offset: number): Doorbell | undefined {
    return offset === TRANSLATER ? this.#doorbell : undefined;
  }

  write64(offset: number, lo: number, hi: number, by: Requester): void {
    if (offset === GITS_CBASER.offset) this.#registers.setCbaser(lo, hi);
    else if (offset >= GITS_BASER.offset && offset < BASER_END && offset % GITS_BASER.stride === 0)
      this.#registers.setBaser((offset - GITS_BASER.offset) >>> 3, lo, hi);
    // CHOICE: a 64-bit write to GITS_TRANSLATER is an EventID and a word that goes nowhere.
    else {
      this.write(offset, lo, 4, by);
      this.write(offset + 4, hi, 4, by);
    }
  }

  // CHOICE: registers answer words only; no other width is described for any but GITS_TRANSLATER.
  #answers(offset: number, size: AccessSize): boolean {
    if (size === 4 && offset % 4 === 0) return true;
    this.#log.guest('GITS access of %d bytes at 0x%x', size, offset);
    return false;
  }

  #readOnly(offset: number): void {
    this.#log.guest('GITS write to 0x%x, which is read-only or reserved', offset);
  }
}
