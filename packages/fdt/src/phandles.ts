// SPDX-License-Identifier: Apache-2.0
// Nodes by phandle: Devicetree Specification v0.4, section 2.3.3. `linux,phandle` is its name in old trees.

import { cellAt } from './cells.js';
import type { FdtFirmwareNode } from './fdt-firmware-node.js';

const NONE: readonly FdtFirmwareNode[] = [];
const CELL_BYTES = 4;

export class Phandles {
  readonly #nodes = new Map<number, FdtFirmwareNode[]>();

  /** Takes a node in under its phandle; one without, or with a malformed one, cannot be referred to. */
  add(node: FdtFirmwareNode): void {
    const value = node.bytes('phandle') ?? node.bytes('linux,phandle');
    if (value?.length !== CELL_BYTES) return;
    const phandle = cellAt(value, 0);
    // 0 and 0xffffffff are no phandles: dtc's check explicit_phandles.
    if (phandle === 0 || phandle === 0xffff_ffff) return;
    const others = this.#nodes.get(phandle);
    if (others === undefined) this.#nodes.set(phandle, [node]);
    else others.push(node);
  }

  /** Every node that claims `phandle`, in the order of the tree: one, unless the tree is wrong. */
  all(phandle: number): readonly FdtFirmwareNode[] {
    return this.#nodes.get(phandle) ?? NONE;
  }
}
