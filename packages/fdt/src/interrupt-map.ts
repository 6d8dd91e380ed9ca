// SPDX-License-Identifier: Apache-2.0
// `interrupt-map` and `interrupt-map-mask`: Devicetree Specification v0.4, section 2.4.3. Decoded once into a table by masked
// specifier, so that a look-up does not depend on the map's length.

import type { FdtFirmwareNode } from './fdt-firmware-node.js';
import { interruptCells, MOST_ARGS } from './interrupt-parent.js';

/** Where an entry of a map leads. */
export interface MapTarget {
  readonly parent: FdtFirmwareNode;
  /** The parent's unit address cells. */
  readonly unitAddress: readonly number[];
  readonly args: readonly number[];
}

/** A decoded map: the target of child unit address and specifier cells, one after the other. */
export type InterruptMap = (match: readonly number[]) => MapTarget | undefined;

/**
 * The map of a nexus whose children have `addressCells` + `specifierCells` cells to match; undefined where it has none.
 * Of entries that match alike the first whose parent is available counts, as in Linux's of_irq_parse_raw.
 */
export function interruptMapOf(
  nexus: FdtFirmwareNode,
  addressCells: number,
  specifierCells: number,
): InterruptMap | undefined {
  if (!nexus.has('interrupt-map')) return undefined;
  const count = addressCells + specifierCells;
  return nexus.once(`interrupt-map ${count}`, () => decodeMap(nexus, count));
}

function decodeMap(nexus: FdtFirmwareNode, matchCells: number): InterruptMap {
  const cells = nexus.u32s('interrupt-map') ?? [];
  const mask = nexus.u32s('interrupt-map-mask') ?? new Array<number>(matchCells).fill(0xffff_ffff);
  if (mask.length < matchCells)
    throw nexus.malformed('interrupt-map-mask', `${mask.length} cells, ${matchCells} wanted`);
  const keyOf = (match: readonly number[], at: number): string => {
    let key = '';
    for (let cell = 0; cell < matchCells; cell++) key += `${match[at + cell] & mask[cell]},`;
    return key;
  };

  const targets = new Map<string, MapTarget>();
  for (let at = 0; at < cells.length;) {
    const phandleAt = at + matchCells;
    if (phandleAt >= cells.length) throw nexus.malformed('interrupt-map', 'the last entry is cut short', at * 4);
    const parent = nexus.referenced('interrupt-map', cells[phandleAt], phandleAt);
    const unitAt = phandleAt + 1;
    const argsAt = unitAt + (parent.cellCount('#address-cells', MOST_ARGS) ?? 0);
    const end = argsAt + interruptCells(parent, nexus, 'interrupt-map', phandleAt);
    if (end > cells.length) throw nexus.malformed('interrupt-map', 'the last entry is cut short', at * 4);
    const key = keyOf(cells, at);
    if (!targets.has(key) && parent.available)
      targets.set(key, { parent, unitAddress: cells.slice(unitAt, argsAt), args: cells.slice(argsAt, end) });
    at = end;
  }
  return (match) => targets.get(keyOf(match, 0));
}
