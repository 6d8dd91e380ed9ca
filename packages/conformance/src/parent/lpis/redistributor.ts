// SPDX-License-Identifier: Apache-2.0
// One processor's redistributor. A configuration byte is read when its LPI becomes pending, and then kept until it is
// invalidated: an ITS driver that forgets to is seen.

import type { AccessSize, Dma, MmioModel, PhysAddr } from '@irqkit/core';
import { FIRST_LPI, GICR_CTLR, GICR_PENDBASER, GICR_PROPBASER, ID_BITS, LPI_CONFIGURATION } from './regs.js';

export interface RedistributorState {
  readonly ctlr: number;
  /** Two words each. */
  readonly propbaser: Uint32Array;
  readonly pendbaser: Uint32Array;
  /** INTIDs, in the order in which they became pending. */
  readonly pending: Uint32Array;
  /** INTIDs whose configuration is kept, with it. */
  readonly configuration: ReadonlyMap<number, boolean>;
}

export class Redistributor implements MmioModel {
  readonly #dma: Dma;
  readonly #changed: () => void;
  #ctlr = 0;
  readonly #propbaser = new Uint32Array(2);
  readonly #pendbaser = new Uint32Array(2);
  #pending = new Set<number>();
  #configuration = new Map<number, boolean>();

  /** `changed` is called where another INTID may be waiting. */
  constructor(dma: Dma, changed: () => void) {
    this.#dma = dma;
    this.#changed = changed;
  }

  read(offset: number, size: AccessSize): number {
    if (size !== 4) return 0;
    switch (offset) {
      case GICR_CTLR.offset:
        return this.#ctlr;
      case GICR_PROPBASER.offset:
      case GICR_PROPBASER.offset + 4:
        return this.#propbaser[(offset - GICR_PROPBASER.offset) / 4];
      case GICR_PENDBASER.offset:
      case GICR_PENDBASER.offset + 4:
        return this.#pendbaser[(offset - GICR_PENDBASER.offset) / 4];
      default:
        return 0;
    }
  }

  write(offset: number, value: number, size: AccessSize): void {
    if (size !== 4) return;
    switch (offset) {
      case GICR_CTLR.offset:
        return this.#enable(GICR_CTLR.EnableLPIs(value));
      case GICR_PROPBASER.offset:
      case GICR_PROPBASER.offset + 4:
        if (!this.#enabled) this.#propbaser[(offset - GICR_PROPBASER.offset) / 4] = value;
        return;
      case GICR_PENDBASER.offset:
      case GICR_PENDBASER.offset + 4:
        if (!this.#enabled) this.#pendbaser[(offset - GICR_PENDBASER.offset) / 4] = value;
        return;
      default:
        return;
    }
  }

  /** The INTID bits that it takes now. */
  get idBits(): number {
    return this.#enabled ? Math.min(GICR_PROPBASER.IDbits(this.#propbaser) + 1, ID_BITS) : ID_BITS;
  }

  /** The LPI that has been waiting longest; undefined for none. */
  get waiting(): number | undefined {
    for (const intid of this.#pending) if (this.#configuration.get(intid)) return intid;
    return undefined;
  }

  isPending(intid: number): boolean {
    return this.#pending.has(intid);
  }

  get allPending(): readonly number[] {
    return [...this.#pending];
  }

  setPending(intid: number): void {
    if (!this.#enabled || intid < FIRST_LPI || intid >= 2 ** this.idBits) return;
    this.#pending.add(intid);
    if (!this.#configuration.has(intid)) this.#configure(intid);
    this.#changed();
  }

  clearPending(intid: number): void {
    this.#pending.delete(intid);
    this.#changed();
  }

  invalidate(intid: number): void {
    this.#configuration.delete(intid);
    if (this.#pending.has(intid)) this.#configure(intid);
    this.#changed();
  }

  invalidateAll(): void {
    this.#configuration.clear();
    for (const intid of this.#pending) this.#configure(intid);
    this.#changed();
  }

  save(): RedistributorState {
    return {
      ctlr: this.#ctlr,
      propbaser: this.#propbaser.slice(),
      pendbaser: this.#pendbaser.slice(),
      pending: Uint32Array.from(this.#pending),
      configuration: new Map(this.#configuration),
    };
  }

  restore(state: RedistributorState): void {
    this.#ctlr = state.ctlr;
    this.#propbaser.set(state.propbaser);
    this.#pendbaser.set(state.pendbaser);
    this.#pending = new Set(state.pending);
    this.#configuration = new Map(state.configuration);
  }

  get #enabled(): boolean {
    return GICR_CTLR.EnableLPIs(this.#ctlr) === 1;
  }

  #enable(value: number): void {
    this.#ctlr = GICR_CTLR.EnableLPIs.set(0, value);
    if (!this.#enabled) {
      this.#pending.clear();
      this.#configuration.clear();
    }
    this.#changed();
  }

  #configure(intid: number): void {
    const byte = new Uint8Array(1);
    const table = GICR_PROPBASER.Physical_Address(this.#propbaser);
    const isThere = this.#dma.load((table + intid - FIRST_LPI) as PhysAddr, byte);
    this.#configuration.set(intid, isThere && LPI_CONFIGURATION.Enable(byte[0]) === 1);
  }
}
