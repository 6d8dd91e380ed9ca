// SPDX-License-Identifier: Apache-2.0
// The interrupts of an SMMU: levels that follow the fault status registers. Arm IHI 0062, "Interrupts"; their order: devicetree
// binding arm,smmu.yaml, the global ones (`#global-interrupts`) first.

import type { FirmwareNode, IrqLine } from '@irqkit/core';
import { ARCHITECTURE, CBAR, CR0, FSR, GFSR, SCTLR } from '../regs.js';
import { nrGlobalInterrupts } from '../silicon.js';
import { wordAt } from './regimes.js';
import { FSR_FAULTS } from './smmu-registers.js';
import type { SmmuRegisters } from './smmu-registers.js';

const CONFIGURATION_FAULTS = GFSR.UCIF.mask | GFSR.CAF.mask;

export class Interrupts {
  readonly #registers: SmmuRegisters;
  readonly #global: readonly IrqLine[];
  readonly #context: readonly IrqLine[];

  constructor(node: FirmwareNode, lines: readonly IrqLine[], registers: SmmuRegisters) {
    const nrGlobal = nrGlobalInterrupts(node);
    this.#registers = registers;
    this.#global = lines.slice(0, nrGlobal);
    this.#context = lines.slice(nrGlobal);
  }

  /** The context interrupt of a bank: its own in SMMUv2, the one that CBAR.IRPTNDX names in SMMUv1. */
  indexOf(bank: number): number {
    const { parameters, cbar } = this.#registers;
    return parameters.version >= ARCHITECTURE.V2 ? bank : CBAR.IRPTNDX(cbar[bank]);
  }

  /** Global faults of transactions drive the first wire, those of the configuration the second one, if there is one. */
  updateGlobal(): void {
    const { gfsr, cr0 } = this.#registers;
    const faults = (gfsr & ~CONFIGURATION_FAULTS) !== 0 && CR0.GFIE(cr0) === 1;
    const configuration = (gfsr & CONFIGURATION_FAULTS) !== 0 && CR0.GCFGFIE(cr0) === 1;
    const [first, second] = this.#global;
    first?.set(faults || (second === undefined && configuration));
    second?.set(configuration);
  }

  updateBank(bank: number): void {
    const index = this.indexOf(bank);
    this.#context[index]?.set(this.#isPending(index));
  }

  updateAll(): void {
    this.updateGlobal();
    this.#context.forEach((line, index) => line.set(this.#isPending(index)));
  }

  #isPending(index: number): boolean {
    const { cbar, parameters } = this.#registers;
    if (parameters.version >= ARCHITECTURE.V2) return index < cbar.length && this.#isRaised(index);
    for (let bank = 0; bank < cbar.length; bank++)
      if (CBAR.IRPTNDX(cbar[bank]) === index && this.#isRaised(bank)) return true;
    return false;
  }

  #isRaised(bank: number): boolean {
    const words = this.#registers.bank(bank);
    return (wordAt(words, FSR) & FSR_FAULTS) !== 0 && SCTLR.CFIE(wordAt(words, SCTLR)) === 1;
  }
}
