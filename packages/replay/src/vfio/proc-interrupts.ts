// SPDX-License-Identifier: Apache-2.0
// Lines of /proc/interrupts, without what is the kernel's own choice: the number of an interrupt, the processor that took it, and
// the controller in the name of an MSI chip (Linux 6.1: `ITS-MSI`).

import { interruptRows } from '@irqkit/core';
import type { IrqCore } from '@irqkit/core';

/** `3 MSI 65536 Edge vfio-msix[0](0000:00:04.0)` from the recorder's lines. */
export function recordedRows(lines: readonly string[], nrCpus: number): readonly string[] {
  return lines.map((line) => {
    const [, ...fields] = line.split(' ');
    const total = fields.slice(0, nrCpus).reduce((sum, count) => sum + Number(count), 0);
    const [chip, ...rest] = fields.slice(nrCpus);
    return [total, chip.replace(/^\w+-MSI$/, 'MSI'), ...rest].join(' ');
  });
}

export function vfioRows(irqs: IrqCore): readonly string[] {
  return interruptRows(irqs)
    .filter(({ actions }) => actions.some((name) => name.startsWith('vfio-')))
    .map(({ counts, chip, hwirq, trigger, actions }) => {
      const total = counts.reduce((sum, count) => sum + count, 0);
      return [total, chip, hwirq, trigger, actions.join(', ')].join(' ');
    });
}
