// SPDX-License-Identifier: Apache-2.0
// An SMMUv1 or SMMUv2 as hardware, its Non-secure side. Arm IHI 0062. Missing: stalled transactions, AArch32 short-descriptor and
// big-endian tables, address translation operations, hypervisor contexts, performance monitors.

import { DMA, INTERRUPTS, LinuxError, MODEL_LOG, NODE, SILICON, inject, injectable } from '@irqkit/core';
import type {
  Dma,
  FirmwareNode,
  IommuModel,
  IrqLine,
  MmioModel,
  ModelLog,
  Requester,
  Silicon,
  State,
} from '@irqkit/core';
import { parametersOf } from '../silicon.js';
import type { Translate } from './fast-path.js';
import { reportGaps } from './report-gaps.js';
import { SmmuFrame } from './smmu-frame.js';
import { smmuParts } from './smmu-parts.js';
import type { SmmuParts } from './smmu-parts.js';
import { SmmuRegisters } from './smmu-registers.js';

const VERSION = 1;

/** What save() gives. */
interface SmmuState extends State {
  /** IDR0, IDR1, IDR2 and IDR7: states of other silicon are refused. */
  readonly idr: Uint32Array;
  /** Registers, as SmmuRegisters lists them. */
  readonly words: Uint32Array;
}

/**
 * frames[0] is all of the registers. Devices are told apart by the `streamId` of the requester. Parameters in `silicon`: see
 * parametersOf. Tables are in memory, which is the board's to save.
 */
@injectable()
export class SmmuV2Model implements IommuModel {
  readonly frames: readonly MmioModel[];
  /**
   * The same as `translate` by a StreamID: `hi` and `lo` are bits [63:32] and [31:0] of the address as integers of either sign, so
   * that every 64-bit address can be asked for.
   */
  readonly translateWords: Translate;
  readonly #path: string;
  readonly #registers: SmmuRegisters;
  readonly #parts: SmmuParts;
  #generation = 0;

  constructor(
    @inject(NODE) node: FirmwareNode,
    @inject(SILICON) silicon: Silicon,
    @inject(DMA) dma: Dma,
    @inject(INTERRUPTS) lines: readonly IrqLine[],
    @inject(MODEL_LOG) log: ModelLog,
  ) {
    const parameters = parametersOf(silicon, node);
    reportGaps(parameters, log);
    const changed = (): void => void this.#generation++;
    this.#path = node.path;
    this.#registers = new SmmuRegisters(parameters);
    this.#parts = smmuParts(this.#registers, { node, dma, lines }, changed);
    this.translateWords = this.#parts.translation.translate;
    this.frames = [new SmmuFrame(this.#registers, this.#parts, log, changed)];
  }

  /** Differs from what it was where an answer of `translate` may no longer hold: after writes, and where a fault blocks a bank. */
  get generation(): number {
    return this.#generation;
  }

  /**
   * The upper half of the address space may be given as negative numbers, two's complement, which are exact. Negative answers:
   * TERMINATED.
   */
  translate(by: Requester, address: number, write: boolean): number {
    const lo = address | 0;
    const hi = ((address - (lo >>> 0)) * 2 ** -32) | 0;
    return this.translateWords(by.streamId, hi, lo, write);
  }

  /** Forgets what is known of tables in memory. For software that invalidates as it must, only the time of accesses changes. */
  dropCaches(): void {
    this.#parts.translation.dropCaches();
    this.#generation++;
  }

  save(): State {
    return { version: VERSION, idr: this.#idr(), words: this.#registers.save() } satisfies SmmuState;
  }

  /** @throws LinuxError EINVAL for a state of another version, or of another SMMU. */
  restore(state: State): void {
    const { words } = this.#checked(state);
    this.#registers.restore(words);
    this.dropCaches();
    this.#parts.interrupts.updateAll();
  }

  #idr(): Uint32Array {
    const { idr0, idr1, idr2, idr7 } = this.#registers.parameters;
    return Uint32Array.of(idr0, idr1, idr2, idr7);
  }

  #checked(state: State): SmmuState {
    const refuse = (what: string): never => {
      throw new LinuxError('EINVAL', `${this.#path}: cannot restore ${what}`);
    };
    if (state.version !== VERSION) refuse(`a state of version ${state.version}, this is ${VERSION}`);
    const { idr, words } = state as Partial<SmmuState>;
    const own = this.#idr();
    if (idr?.length !== own.length || idr.some((word, i) => word !== own[i])) refuse('the state of other ID registers');
    if (words?.length !== this.#registers.nrStateWords) refuse('words');
    return state as SmmuState;
  }
}
