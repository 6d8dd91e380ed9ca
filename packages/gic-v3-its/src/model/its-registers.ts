// SPDX-License-Identifier: Apache-2.0
// The registers of an ITS and what a write to each does. IHI 0069, "The ITS register descriptions".

import type { ModelLog } from '@irqkit/core';
import { GITS_BASER, GITS_BASER_TYPE, GITS_CTLR } from '../regs.js';
import type { ItsParameters } from '../silicon.js';
import type { Collections } from './collections.js';
import type { CommandQueue } from './command-queue.js';
import type { Devices } from './devices.js';
import type { Translation } from './translation.js';
import { baserMask, writeMasked } from './write-mask.js';

/** What registers steer. */
export interface RegisterTargets {
  readonly parameters: ItsParameters;
  readonly queue: CommandQueue;
  readonly devices: Devices;
  readonly collections: Collections;
  readonly translation: Translation;
  readonly log: ModelLog;
}

export class ItsRegisters {
  readonly parameters: ItsParameters;
  readonly queue: CommandQueue;
  readonly #its: RegisterTargets;
  readonly #basers: readonly Uint32Array[];
  readonly #masks: readonly Uint32Array[];

  constructor(targets: RegisterTargets) {
    const { parameters, queue } = targets;
    this.parameters = parameters;
    this.queue = queue;
    this.#its = targets;
    this.#basers = parameters.basers.map((reset) => reset.slice());
    this.#masks = parameters.basers.map((reset) => baserMask(parameters, reset));
  }

  // CHOICE: Quiescent, UNKNOWN while Enabled is 1 in GICv3, is then 0 as in GICv4.1.
  /** Nothing is under way between accesses, so the ITS is quiescent as soon as it is not enabled. */
  get ctlr(): number {
    return this.#its.translation.enabled ? GITS_CTLR.Enabled.mask : GITS_CTLR.Quiescent.mask;
  }

  setCtlr(value: number): void {
    const { translation, queue } = this.#its;
    translation.enabled = GITS_CTLR.Enabled(value) === 1;
    if (translation.enabled) queue.run();
  }

  setCbaser(lo: number, hi: number): void {
    if (this.#isLocked('GITS_CBASER')) return;
    this.queue.setBase(lo, hi);
  }

  setCwriter(value: number): void {
    this.queue.setWriter(value);
    if (this.#its.translation.enabled) this.queue.run();
  }

  /** A pair of words, not to be changed. */
  baser(n: number): Uint32Array {
    return this.#basers[n];
  }

  setBaser(n: number, lo: number, hi: number): void {
    if (this.#isLocked('GITS_BASER')) return;
    writeMasked(this.#basers[n], this.#masks[n], lo, hi);
    this.#describeTables();
  }

  /** GITS_BASER0 to GITS_BASER7, sixteen words. */
  saveBasers(): Uint32Array {
    const words = new Uint32Array(GITS_BASER.count * 2);
    this.#basers.forEach((baser, n) => words.set(baser, n * 2));
    return words;
  }

  restoreBasers(words: Uint32Array): void {
    this.#basers.forEach((baser, n) => writeMasked(baser, this.#masks[n], words[n * 2], words[n * 2 + 1]));
    this.#describeTables();
  }

  // CHOICE: GITS_CBASER and GITS_BASER<n> ignore writes while GITS_CTLR.Enabled is 1, which are UNPREDICTABLE.
  #isLocked(name: string): boolean {
    const { translation, log } = this.#its;
    if (translation.enabled) log.guest('%s written while GITS_CTLR.Enabled is 1', name);
    return translation.enabled;
  }

  #describeTables(): void {
    const { devices, collections, translation } = this.#its;
    devices.table.describe(this.#tableOf(GITS_BASER_TYPE.DEVICES));
    collections.table.describe(this.#tableOf(GITS_BASER_TYPE.COLLECTIONS));
    collections.drop();
    translation.dropAll();
  }

  #tableOf(type: number): Uint32Array | undefined {
    return this.#basers.find((baser) => GITS_BASER.Type(baser) === type);
  }
}
