// SPDX-License-Identifier: Apache-2.0
// The two frames of one Redistributor (GICR): RD_base for control and LPIs, SGI_base for SGIs and PPIs. Arm IHI 0069 sections
// 12.10 and 12.11. Missing: the frames of GICv4.

import { highWord, lowWord } from '@irqkit/bits';
import type { AccessSize, ModelLog } from '@irqkit/core';
import {
  GICD_ICFGR,
  GICD_ID,
  GICD_IGROUPR,
  GICD_IPRIORITYR,
  GICR_CLRLPIR,
  GICR_CTLR,
  GICR_FRAME_BYTES,
  GICR_IIDR,
  GICR_INVALLR,
  GICR_INVLPIR,
  GICR_PENDBASER,
  GICR_PROPBASER,
  GICR_SETLPIR,
  GICR_TYPER,
  GICR_TYPER_Affinity_Value,
  GICR_WAKER,
} from '../regs.js';
import type { GicV3Parameters } from '../silicon.js';
import type { Forwarding } from './forwarding.js';
import { isIn, readId } from './id-registers.js';
import type { InterruptBanks } from './interrupt-banks.js';
import { NO_WORD } from './interrupts.js';
import type { Interrupts } from './interrupts.js';
import type { LpiTables, Lpis } from './lpis.js';

/** The banks of one bit for each INTID: 128 bytes each. */
const BIT_BANKS = { offset: GICD_IGROUPR.offset, sizeBytes: GICD_IPRIORITYR.offset - GICD_IGROUPR.offset } as const;
const BANK_BYTES = 0x80;
const DPG_BITS = GICR_CTLR.DPG0.mask | GICR_CTLR.DPG1NS.mask | GICR_CTLR.DPG1S.mask;
/** Low and high word of the bits that can be written. GICR_PENDBASER.PTZ reads as 0. */
const PROPBASER_BITS = [0xffff_ff9f, 0x070f_ffff] as const;
const PENDBASER_BITS = [0xffff_0f80, 0x070f_ffff] as const;
const PENDBASER_PTZ = 0x4000_0000;

export interface RedistributorParts {
  readonly interrupts: Interrupts;
  readonly forwarding: Forwarding;
  readonly banks: InterruptBanks;
  readonly lpis: Lpis;
  readonly parameters: GicV3Parameters;
  readonly log: ModelLog;
}

export interface RedistributorState {
  readonly propbaser: Uint32Array;
  readonly pendbaser: Uint32Array;
}

export class RedistributorFrame {
  readonly #cpu: number;
  readonly #typer: number;
  readonly #affinity: number;
  readonly #parts: RedistributorParts;
  readonly #propbaser = new Uint32Array(2);
  readonly #pendbaser = new Uint32Array(2);

  /** `mpidr`: the CPU's affinity; `last`: no other follows in its region. */
  constructor(cpu: number, mpidr: number, last: boolean, parts: RedistributorParts) {
    this.#cpu = cpu;
    this.#parts = parts;
    const typer = GICR_TYPER.Processor_Number.set(parts.parameters.gicrTyper, cpu);
    this.#typer = GICR_TYPER.Last.set(typer, last ? 1 : 0);
    this.#affinity = (highWord(mpidr) % 0x100) * 0x100_0000 + (lowWord(mpidr) % 0x100_0000);
  }

  /** From RD_base; SGI_base follows. */
  read(offset: number, size: AccessSize): number {
    if (!this.#widthFits(offset, size)) return 0;
    if (offset >= GICR_FRAME_BYTES) return this.#readPrivate(offset - GICR_FRAME_BYTES, size);
    const { forwarding, parameters } = this.#parts;
    switch (offset) {
      case GICR_CTLR.offset:
        return (forwarding.gicrCtlr[this.#cpu] | parameters.gicrCtlr) >>> 0;
      case GICR_IIDR.offset:
        return parameters.gicrIidr;
      case GICR_TYPER.offset:
        return this.#typer;
      case GICR_TYPER_Affinity_Value.offset:
        return this.#affinity;
      case GICR_WAKER.offset:
        return this.#waker;
      case GICR_PROPBASER.offset:
      case GICR_PROPBASER.offset + 4:
        return this.#propbaser[(offset >>> 2) & 1];
      case GICR_PENDBASER.offset:
      case GICR_PENDBASER.offset + 4:
        return this.#readPendbaser((offset >>> 2) & 1);
      default:
        // GICR_SYNCR.Busy is 0: what the other registers started has happened.
        return isIn(GICD_ID, offset) ? readId(offset, true) : 0;
    }
  }

  write(offset: number, value: number, size: AccessSize): void {
    if (!this.#widthFits(offset, size)) return;
    if (offset >= GICR_FRAME_BYTES) return this.#writePrivate(offset - GICR_FRAME_BYTES, value, size);
    const { lpis, parameters } = this.#parts;
    switch (offset) {
      case GICR_CTLR.offset:
        return this.#writeCtlr(value);
      case GICR_WAKER.offset:
        return this.#writeWaker(value);
      case GICR_SETLPIR.offset:
        if (parameters.directLpis) lpis.setPending(this.#cpu, value);
        return;
      case GICR_CLRLPIR.offset:
        if (parameters.directLpis) lpis.clearPending(this.#cpu, value);
        return;
      case GICR_PROPBASER.offset:
      case GICR_PROPBASER.offset + 4:
        return this.#writeBase(this.#propbaser, PROPBASER_BITS, (offset >>> 2) & 1, value);
      case GICR_PENDBASER.offset:
        return this.#writeBase(this.#pendbaser, PENDBASER_BITS, 0, value);
      case GICR_PENDBASER.offset + 4:
        return this.#writeBase(this.#pendbaser, [0, PENDBASER_BITS[1] | PENDBASER_PTZ], 1, value);
      case GICR_INVLPIR.offset:
        if (parameters.invalidateRegisters) lpis.invalidate(this.#cpu, value);
        return;
      case GICR_INVALLR.offset:
        if (parameters.invalidateRegisters) lpis.invalidateAll(this.#cpu);
    }
  }

  /** The tables, while LPIs are enabled. */
  get lpiTables(): LpiTables | undefined {
    if (GICR_CTLR.EnableLPIs(this.#parts.forwarding.gicrCtlr[this.#cpu]) === 0) return undefined;
    return {
      configuration: GICR_PROPBASER.Physical_Address(this.#propbaser),
      idBits: GICR_PROPBASER.IDbits(this.#propbaser) + 1,
      pending: GICR_PENDBASER.Physical_Address(this.#pendbaser),
      pendingIsZero: GICR_PENDBASER.PTZ(this.#pendbaser) === 1,
    };
  }

  save(): RedistributorState {
    return { propbaser: this.#propbaser.slice(), pendbaser: this.#pendbaser.slice() };
  }

  restore(state: RedistributorState): void {
    this.#propbaser.set(state.propbaser);
    this.#pendbaser.set(state.pendbaser);
  }

  get #waker(): number {
    const asleep = GICR_WAKER.ProcessorSleep(this.#parts.forwarding.waker[this.#cpu]);
    return GICR_WAKER.ChildrenAsleep.set(GICR_WAKER.ProcessorSleep.set(0, asleep), asleep);
  }

  // CHOICE: accesses of other widths than section 12.1.3 lists, or misaligned, are RAZ/WI.
  #widthFits(offset: number, size: AccessSize): boolean {
    const bytes = offset >= GICR_FRAME_BYTES && isIn(GICD_IPRIORITYR, offset - GICR_FRAME_BYTES);
    if ((size === 4 && offset % 4 === 0) || (size === 1 && bytes)) return true;
    this.#parts.log.guest('GICR access of %d bytes at 0x%x', size, offset);
    return false;
  }

  #writeCtlr(value: number): void {
    const { forwarding, lpis, parameters } = this.#parts;
    const before = GICR_CTLR.EnableLPIs(forwarding.gicrCtlr[this.#cpu]);
    const after = parameters.lpis ? this.#enableLpis(before, GICR_CTLR.EnableLPIs(value)) : 0;
    const selection = parameters.disableProcessorSelection ? value & DPG_BITS : 0;
    forwarding.gicrCtlr[this.#cpu] = GICR_CTLR.EnableLPIs.set(selection, after);
    if (after !== before) {
      const tables = this.lpiTables;
      if (tables) lpis.enable(this.#cpu, tables);
      else lpis.disable(this.#cpu);
      this.#pendbaser[1] &= ~PENDBASER_PTZ;
      forwarding.setQueue(this.#cpu, lpis.redistributors[this.#cpu].queue);
    }
    forwarding.enablesChanged(this.#cpu);
  }

  #enableLpis(before: number, wanted: number): number {
    // Without GICR_CTLR.CES, LPIs stay enabled once they are.
    if (wanted === 1 || GICR_CTLR.CES(this.#parts.parameters.gicrCtlr) === 1) return wanted;
    return before;
  }

  #writeWaker(value: number): void {
    this.#parts.forwarding.waker[this.#cpu] = value & GICR_WAKER.ProcessorSleep.mask;
    this.#parts.forwarding.enablesChanged(this.#cpu);
  }

  #readPendbaser(index: number): number {
    return (this.#pendbaser[index] & PENDBASER_BITS[index]) >>> 0;
  }

  // CHOICE: the tables' registers are read-only while LPIs are enabled; software must not write them then (section 12.11).
  #writeBase(register: Uint32Array, bits: readonly number[], index: number, value: number): void {
    if (!this.#parts.parameters.lpis) return;
    if (GICR_CTLR.EnableLPIs(this.#parts.forwarding.gicrCtlr[this.#cpu]) === 1)
      return this.#parts.log.guest('GICR_PROPBASER or GICR_PENDBASER written while LPIs are enabled');
    register[index] = value & bits[index];
  }

  #readPrivate(offset: number, size: AccessSize): number {
    const { banks } = this.#parts;
    if (isIn(BIT_BANKS, offset)) {
      const word = this.#privateWord((offset % BANK_BYTES) >>> 2);
      return word === NO_WORD ? 0 : banks.readBits(offset - (offset % BANK_BYTES), this.#cpu, word);
    }
    if (isIn(GICD_IPRIORITYR, offset)) {
      const word = this.#privateWord((offset - GICD_IPRIORITYR.offset) >>> 5);
      return word === NO_WORD ? 0 : banks.readPriorities(this.#cpu, word, offset & 31, size);
    }
    if (isIn(GICD_ICFGR, offset)) {
      const word = this.#privateWord((offset - GICD_ICFGR.offset) >>> 3);
      return word === NO_WORD ? 0 : banks.readConfig(this.#cpu, word, (offset >>> 2) & 1);
    }
    return isIn(GICD_ID, offset) ? readId(offset, true) : 0;
  }

  #writePrivate(offset: number, value: number, size: AccessSize): void {
    const { banks } = this.#parts;
    if (isIn(BIT_BANKS, offset)) {
      const word = this.#privateWord((offset % BANK_BYTES) >>> 2);
      if (word !== NO_WORD) banks.writeBits(offset - (offset % BANK_BYTES), this.#cpu, word, value);
    } else if (isIn(GICD_IPRIORITYR, offset)) {
      const word = this.#privateWord((offset - GICD_IPRIORITYR.offset) >>> 5);
      if (word !== NO_WORD) banks.writePriorities(this.#cpu, word, offset & 31, size, value);
    } else if (isIn(GICD_ICFGR, offset)) {
      const word = this.#privateWord((offset - GICD_ICFGR.offset) >>> 3);
      if (word !== NO_WORD) banks.writeConfig(this.#cpu, word, (offset >>> 2) & 1, value);
    }
  }

  #privateWord(index: number): number {
    return index < this.#parts.interrupts.nrPrivateWords ? index : NO_WORD;
  }
}
