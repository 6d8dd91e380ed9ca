// SPDX-License-Identifier: Apache-2.0
// Levels of wired inputs, as QEMU traces them.

import type { CapturedEvent } from '../capture/capture.js';

/** An input of a GICv2 that changed its level. */
export interface InputChange {
  readonly intid: number;
  readonly level: boolean;
  /** The processors whose input it is, where it is a PPI. */
  readonly cpus: readonly number[];
}

/** What QEMU's trace event gic_set_irq says; undefined for any other event. */
export function inputChange({ event, text }: CapturedEvent): InputChange | undefined {
  const found = event === 'gic_set_irq' && /^irq (\d+) level ([01]) cpumask 0x([0-9a-f]+) /.exec(text);
  if (!found) return undefined;
  const mask = parseInt(found[3], 16);
  const cpus = [0, 1, 2, 3, 4, 5, 6, 7].filter((cpu) => (mask >>> cpu) & 1);
  return { intid: Number(found[1]), level: found[2] === '1', cpus };
}

/** What QEMU's trace event gicv3_dist_set_irq says; undefined for any other event. */
export function gicV3InputChange({ event, text }: CapturedEvent): { intid: number; level: boolean } | undefined {
  const found = event === 'gicv3_dist_set_irq' && /interrupt (\d+) level changed to ([01])$/.exec(text);
  return found ? { intid: Number(found[1]), level: found[2] === '1' } : undefined;
}
