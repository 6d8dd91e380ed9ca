// SPDX-License-Identifier: Apache-2.0
// What /proc/interrupts shows: one row per interrupt that has a handler. Source: Linux 6.1 kernel/irq/proc.c (layout).

import { IRQ_TYPE } from './irq-chip.js';
import type { IrqCore } from './irq-core.js';

export interface InterruptRow {
  readonly virq: number;
  /** Deliveries by processor. */
  readonly counts: readonly number[];
  readonly chip: string;
  readonly hwirq: number;
  readonly trigger: 'Level' | 'Edge';
  readonly actions: readonly string[];
}

/** The rows of interrupts that have a handler, by virq. */
export function interruptRows(irqs: IrqCore): readonly InterruptRow[] {
  return irqs.all
    .filter((desc) => desc.actions.length > 0)
    .map((desc) => ({
      virq: desc.virq,
      counts: [...desc.counts],
      chip: desc.data.chip.name,
      hwirq: desc.data.hwirq,
      trigger: (desc.data.common.type & (IRQ_TYPE.LEVEL_HIGH | IRQ_TYPE.LEVEL_LOW)) !== 0 ? 'Level' : 'Edge',
      actions: desc.actions.map(({ name }) => name),
    }));
}

/** The table as Linux lays it out, one line per row under a line of processors. */
export function formatProcInterrupts(irqs: IrqCore): string {
  const header = ' '.repeat(11) + Array.from({ length: irqs.cpus.count }, (_, cpu) => `CPU${cpu}`.padEnd(11)).join('');
  const lines = interruptRows(irqs).map(
    (row) =>
      `${String(row.virq).padStart(3)}: ` +
      row.counts.map((count) => `${String(count).padStart(10)} `).join('') +
      ` ${row.chip.padStart(8)} ${String(row.hwirq).padStart(3)} ${row.trigger.padEnd(8)}  ${row.actions.join(', ')}`,
  );
  return [header.trimEnd(), ...lines].join('\n');
}
