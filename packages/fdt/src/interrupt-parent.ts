// SPDX-License-Identifier: Apache-2.0
// The interrupt tree's edges: Devicetree Specification v0.4, section 2.4. A node without `#interrupt-cells` is passed through.

import type { FdtFirmwareNode } from './fdt-firmware-node.js';

/** Longer than any tree of MAX_DEPTH needs: a walk that takes more steps goes round. */
const MOST_STEPS = 128;
/** @linux MAX_PHANDLE_ARGS */
export const MOST_ARGS = 16;

/**
 * The node that `interrupts` of `child` go to first, a controller or a nexus.
 * @linux of_irq_find_parent
 */
export function findInterruptParent(child: FdtFirmwareNode): FdtFirmwareNode | undefined {
  let at = child;
  for (let steps = 0; steps < MOST_STEPS; steps++) {
    const phandle = at.u32('interrupt-parent');
    const parent = phandle === undefined ? at.parent : at.referenced('interrupt-parent', phandle, 0);
    if (parent === undefined || parent.has('#interrupt-cells')) return parent;
    at = parent;
  }
  throw child.malformed('interrupt-parent', 'the interrupt parents form a loop');
}

/**
 * How many cells a specifier for `controller` has.
 * @throws FirmwareError for `property` of `user` where the controller does not say it.
 */
export function interruptCells(
  controller: FdtFirmwareNode,
  user: FdtFirmwareNode,
  property: string,
  cell: number,
): number {
  const count = controller.cellCount('#interrupt-cells', MOST_ARGS);
  if (count === undefined) throw user.malformed(property, `${controller.path} has no #interrupt-cells`, cell * 4);
  return count;
}
