// SPDX-License-Identifier: Apache-2.0
// Flow handlers: what is done to the chip around the handlers of one delivery. Source: Linux 6.1 kernel/irq/chip.c and
// spurious.c (behaviour).

import type { IrqDesc } from './irq-desc.js';

/** How an interrupt's chip wants to be served. */
export type Flow = 'fasteoi' | 'edge' | 'level' | 'percpu';

/** Serves one delivery on `cpu`; `stuck` is told of an interrupt that nobody handles. */
export type FlowHandler = (desc: IrqDesc, cpu: number, stuck: (desc: IrqDesc) => void) => void;

// After so many deliveries, an interrupt of which all but a hundred were nobody's is disabled. @linux note_interrupt
const SPURIOUS_WINDOW = 100_000;
const SPURIOUS_LIMIT = 99_900;

function runActions(desc: IrqDesc, cpu: number, stuck: (desc: IrqDesc) => void): void {
  desc.counts[cpu]++;
  let handled = false;
  for (let i = 0; i < desc.actions.length; i++) if (desc.actions[i].handler(desc.virq, cpu)) handled = true;
  if (!handled) desc.unhandled++;
  if (++desc.seen < SPURIOUS_WINDOW) return;
  const nobodyCared = desc.unhandled > SPURIOUS_LIMIT;
  desc.seen = 0;
  desc.unhandled = 0;
  if (nobodyCared) stuck(desc);
}

/** True where a delivery must not reach handlers now: it is kept for later and masked. */
function holdBack(desc: IrqDesc): boolean {
  if (desc.disableDepth === 0 && desc.actions.length > 0) return false;
  desc.pending = true;
  desc.data.chip.mask?.(desc.data);
  return true;
}

export const FLOW_HANDLERS: Readonly<Record<Flow, FlowHandler>> = {
  /** @linux handle_fasteoi_irq */
  fasteoi(desc, cpu, stuck) {
    if (!holdBack(desc)) runActions(desc, cpu, stuck);
    desc.data.chip.eoi?.(desc.data);
  },
  /** @linux handle_edge_irq */
  edge(desc, cpu, stuck) {
    const held = holdBack(desc);
    desc.data.chip.ack?.(desc.data);
    if (!held) runActions(desc, cpu, stuck);
  },
  /** @linux handle_level_irq */
  level(desc, cpu, stuck) {
    desc.data.chip.mask?.(desc.data);
    desc.data.chip.ack?.(desc.data);
    if (holdBack(desc)) return;
    runActions(desc, cpu, stuck);
    if (desc.disableDepth === 0) desc.data.chip.unmask?.(desc.data);
  },
  /** @linux handle_percpu_devid_irq */
  percpu(desc, cpu, stuck) {
    desc.data.chip.ack?.(desc.data);
    if (!holdBack(desc)) runActions(desc, cpu, stuck);
    desc.data.chip.eoi?.(desc.data);
  },
};
