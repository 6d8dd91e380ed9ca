// SPDX-License-Identifier: Apache-2.0
// Makes the k-th step of one kind fail, on the way from software to an ITS, an SMMU, PCI functions and memory. Offsets are typed from
// IHI 0069 (GITS_CBASER, GITS_CWRITER) and IHI 0070 (CMDQ_BASE, CMDQ_PROD).

import type { Board } from '@irqkit/board';
import { LinuxError, physAddr } from '@irqkit/core';
import type { BusHooks } from './hooked-bus.js';

const GITS_CBASER = 0x80;
const GITS_CWRITER = 0x88;
const CMDQ_BASE = 0x90;
const CMDQ_PROD = 0x98;
const SMMU_COMMAND_BYTES = 16;
/** ECAM and memory windows of the platform's PCI root. */
const FUNCTIONS = { first: 0x1000_0000, last: 0x3fff_ffff };
/** Neither an ITS nor an SMMU has a command of this number. */
const NO_COMMAND = 0xee;

export const FAULTS = {
  /** There is no memory. */
  memory: 'ENOMEM',
  /** A write to a function's configuration space or MSI-X table is refused. */
  'function write': 'EIO',
  /** The first of the commands that software posts is one the ITS refuses. */
  'ITS refuses': 'EIO',
  /** The ITS does not hear of new commands until the next ones. */
  'ITS hangs': 'ETIMEDOUT',
  'SMMU refuses': 'EIO',
  'SMMU hangs': 'ETIMEDOUT',
} as const;

export type FaultKind = keyof typeof FAULTS;

export class Faults implements BusHooks {
  /** Set once there is one. */
  board: Board | undefined;
  readonly #its: number;
  readonly #smmu: number;
  #kind: FaultKind = 'memory';
  #left = 0;

  /** The bases of the two. */
  constructor(its: number, smmu: number) {
    this.#its = its;
    this.#smmu = smmu;
  }

  /** The k-th step of that kind fails, counted from 1. */
  arm(kind: FaultKind, k: number): void {
    this.#kind = kind;
    this.#left = k;
  }

  /** True where it has not come to pass. */
  disarm(): boolean {
    const armed = this.#left > 0;
    this.#left = 0;
    return armed;
  }

  alloc(): void {
    if (this.#isNow('memory')) throw new LinuxError('ENOMEM', 'no memory, by order of the test');
  }

  write(address: number, value: number): boolean {
    if (address >= FUNCTIONS.first && address <= FUNCTIONS.last && this.#isNow('function write'))
      throw new LinuxError('EIO', 'a write refused by order of the test');
    if (address === this.#its + GITS_CWRITER && value !== this.#word(address)) return this.#postToIts();
    if (address === this.#smmu + CMDQ_PROD && value !== this.#word(address)) return this.#postToSmmu();
    return true;
  }

  #postToIts(): boolean {
    if (this.#isNow('ITS refuses')) {
      const queue = this.#address(this.#its + GITS_CBASER, 0x1000);
      this.#spoil(queue + (this.#word(this.#its + GITS_CWRITER) % 0x10_0000));
    }
    return !this.#isNow('ITS hangs');
  }

  #postToSmmu(): boolean {
    if (this.#isNow('SMMU refuses')) {
      const slots = 2 ** (this.#word(this.#smmu + CMDQ_BASE) % 0x20);
      const slot = this.#word(this.#smmu + CMDQ_PROD) % slots;
      this.#spoil(this.#address(this.#smmu + CMDQ_BASE, 0x20) + slot * SMMU_COMMAND_BYTES);
    }
    return !this.#isNow('SMMU hangs');
  }

  #isNow(kind: FaultKind): boolean {
    return this.#kind === kind && this.#left > 0 && --this.#left === 0;
  }

  #spoil(at: number): void {
    this.board!.ram.store(physAddr(at), Uint8Array.of(NO_COMMAND));
  }

  /** The address in a 64-bit register whose lowest bits are not of it, nor those from 52 on. */
  #address(register: number, align: number): number {
    const [lo, hi] = [this.#word(register), this.#word(register + 4)];
    return (hi % 0x10_0000) * 2 ** 32 + (lo - (lo % align));
  }

  #word(address: number): number {
    return this.board!.access.read(physAddr(address), 4, 0);
  }
}
