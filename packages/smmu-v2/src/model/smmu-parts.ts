// SPDX-License-Identifier: Apache-2.0
// The parts of an SMMU, put together.

import type { Dma, FirmwareNode, IrqLine } from '@irqkit/core';
import { Faults } from './faults.js';
import { Interrupts } from './interrupts.js';
import { Invalidations } from './invalidations.js';
import type { SmmuRegisters } from './smmu-registers.js';
import { Translation } from './translation.js';

/** What an SMMU is given. */
export interface SmmuSurroundings {
  readonly node: FirmwareNode;
  readonly dma: Dma;
  readonly lines: readonly IrqLine[];
}

export interface SmmuParts {
  readonly translation: Translation;
  readonly invalidations: Invalidations;
  readonly interrupts: Interrupts;
}

/** `changed` is called where a fault changes what becomes of other transactions. */
export function smmuParts(
  registers: SmmuRegisters,
  { node, dma, lines }: SmmuSurroundings,
  changed: () => void,
): SmmuParts {
  const interrupts = new Interrupts(node, lines, registers);
  const faults = new Faults(registers, interrupts, () => {
    translation.forgetStreams();
    changed();
  });
  const translation = new Translation(dma, registers, faults);
  return { translation, interrupts, invalidations: new Invalidations(translation.iotlb, registers) };
}
