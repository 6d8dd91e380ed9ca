// SPDX-License-Identifier: Apache-2.0
// The root domain of a GICv2. Specifiers: devicetree binding arm,gic.yaml; Linux 6.1's gic_irq_domain_translate.

import { LinuxError } from '@irqkit/core';
import type { IrqChip, IrqCore, IrqDomainOps, InterruptSpec } from '@irqkit/core';
import { FIRST_PPI, FIRST_SPI } from '../regs.js';

const SPI = 0;
const PPI = 1;
/** @linux IRQ_TYPE_SENSE_MASK */
const SENSE_MASK = 0xf;
const EDGE_RISING = 1;

/** The path names the node in what is thrown; `nrIrqs` INTIDs exist. */
export function gicDomainOps(path: string, nrIrqs: number, chip: IrqChip, irqs: IrqCore): IrqDomainOps {
  const translate = (spec: InterruptSpec): { hwirq: number; type: number } => {
    const { args } = spec;
    if (args.length === 1 && args[0] < FIRST_PPI) return { hwirq: args[0], type: EDGE_RISING };
    const [kind, number, flags] = args;
    const hwirq = kind === SPI ? FIRST_SPI + number : FIRST_PPI + number;
    const end = kind === SPI ? nrIrqs : FIRST_SPI;
    if (args.length < 3 || (kind !== SPI && kind !== PPI) || hwirq >= end)
      throw new LinuxError('EINVAL', `${path}: no interrupt <${args.join(' ')}>`);
    return { hwirq, type: flags & SENSE_MASK };
  };

  return {
    translate: (_domain, spec) => translate(spec),
    alloc(domain, virq, nr, { spec }) {
      if (!spec) throw new LinuxError('EINVAL', `${path}: interrupts are asked for by specifier`);
      const { hwirq } = translate(spec);
      for (let i = 0; i < nr; i++) {
        domain.setInfo(virq + i, hwirq + i, chip);
        irqs.setFlow(virq + i, hwirq + i < FIRST_SPI ? 'percpu' : 'fasteoi');
      }
    },
    free() {
      // Nothing is taken by an alloc but the numbers, which the framework keeps.
    },
  };
}
