// SPDX-License-Identifier: Apache-2.0
// The root domain of a GICv3. Specifiers: devicetree binding arm,gic-v3.yaml; Linux 6.1's gic_irq_domain_translate.

import { LinuxError } from '@irqkit/core';
import type { InterruptSpec, IrqChip, IrqCore, IrqDomainOps } from '@irqkit/core';
import { FIRST_EPPI, FIRST_ESPI, FIRST_LPI, FIRST_PPI, FIRST_SPI } from '../regs.js';
import type { GicState } from './gic-state.js';
import { isPrivate, isSgi } from './interrupt-registers.js';

const SPI = 0;
const PPI = 1;
const ESPI = 2;
const EPPI = 3;
/** @linux IRQ_TYPE_SENSE_MASK */
const SENSE_MASK = 0xf;
const EDGE_RISING = 1;

export function gicDomainOps(gic: GicState, chip: IrqChip, irqs: IrqCore): IrqDomainOps {
  const translate = ({ args }: InterruptSpec): { hwirq: number; type: number } => {
    if (args.length === 1 && isSgi(args[0])) return { hwirq: args[0], type: EDGE_RISING };
    const hwirq = args.length >= 3 ? hwirqOf(gic, args[0], args[1]) : undefined;
    if (hwirq === undefined) throw new LinuxError('EINVAL', `${gic.path}: no interrupt <${args.join(' ')}>`);
    return { hwirq, type: args[2] & SENSE_MASK };
  };

  return {
    translate: (_domain, spec) => translate(spec),
    alloc(domain, virq, nr, { spec, hwirq: lpi }) {
      if (!spec) checkLpis(gic, lpi, nr);
      const hwirq = spec ? translate(spec).hwirq : lpi!;
      for (let i = 0; i < nr; i++) {
        domain.setInfo(virq + i, hwirq + i, chip);
        irqs.setFlow(virq + i, isPrivate(hwirq + i) ? 'percpu' : 'fasteoi');
      }
    },
    free() {
      // Nothing is taken by an alloc but the numbers, which the framework keeps.
    },
  };
}

function hwirqOf(gic: GicState, type: number, number: number): number | undefined {
  switch (type) {
    case SPI:
      return FIRST_SPI + number < gic.nrIrqs ? FIRST_SPI + number : undefined;
    case PPI:
      return FIRST_PPI + number < FIRST_SPI ? FIRST_PPI + number : undefined;
    case ESPI:
      return number < gic.nrExtendedSpis ? FIRST_ESPI + number : undefined;
    case EPPI:
      return number < gic.nrExtendedPpis ? FIRST_EPPI + number : undefined;
    default:
      return undefined;
  }
}

/** @linux gic_irq_domain_map */
function checkLpis({ path, hasLpis, idBits }: GicState, first: number | undefined, nr: number): void {
  if (first === undefined)
    throw new LinuxError('EINVAL', `${path}: interrupts are asked for by specifier, LPIs by number`);
  if (!hasLpis) throw new LinuxError('EPERM', `${path}: has no LPIs`);
  if (!(first >= FIRST_LPI && first + nr <= 2 ** idBits))
    throw new LinuxError('EPERM', `${path}: no LPIs ${first} to ${first + nr - 1}`);
}
