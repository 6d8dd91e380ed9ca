// SPDX-License-Identifier: Apache-2.0
// `interrupts` and `interrupts-extended` through nexus nodes to their controllers: Devicetree Specification v0.4, section 2.4;
// in what it leaves open as Linux's of_irq_parse_one and of_irq_parse_raw.

import type { InterruptSpec } from '@irqkit/core';
import type { FdtFirmwareNode } from './fdt-firmware-node.js';
import { interruptMapOf } from './interrupt-map.js';
import type { MapTarget } from './interrupt-map.js';
import { interruptCells, MOST_ARGS } from './interrupt-parent.js';

/** More nexus nodes in a row than any board has: a route that takes more goes round. */
const MOST_HOPS = 32;

/** Controllers that read their `interrupt-map` themselves. @linux of_irq_imap_abusers */
const OWN_MAP = [
  'CBEA,platform-spider-pic',
  'sti,platform-spider-pic',
  'realtek,rtl-intc',
  'fsl,ls1021a-extirq',
  'fsl,ls1043a-extirq',
  'fsl,ls1088a-extirq',
  'renesas,rza1-irqc',
];

/** Cells of the property that an interrupt comes from, for the errors of its route. */
interface Origin {
  readonly node: FdtFirmwareNode;
  readonly property: string;
  readonly cell: number;
}

export function interruptsOf(node: FdtFirmwareNode): readonly InterruptSpec[] {
  return node.has('interrupts-extended') ? extendedOf(node) : plainOf(node);
}

/** What `nexus` maps a child's specifier to; undefined where it has no map or no entry of a map on the way matches. */
export function mapInterrupt(
  nexus: FdtFirmwareNode,
  unitAddress: readonly number[],
  args: readonly number[],
): InterruptSpec | undefined {
  if (!nexus.has('interrupt-map')) return undefined;
  const origin: Origin = { node: nexus, property: 'interrupt-map', cell: 0 };
  const wanted = interruptCells(nexus, nexus, 'interrupt-map', 0);
  if (args.length !== wanted)
    throw nexus.malformed('#interrupt-cells', `${wanted}, but a specifier of ${args.length} cells is to be mapped`);
  const first = throughMap(nexus, unitAddress, nexusAddressCells(nexus), args, origin);
  if (first === undefined) return undefined;
  if (first.parent === nexus) return { controller: nexus, args: first.args };
  return route(first.parent, first.unitAddress, first.unitAddress.length, first.args, origin);
}

function plainOf(node: FdtFirmwareNode): readonly InterruptSpec[] {
  const cells = node.u32s('interrupts');
  if (cells === undefined || cells.length === 0) return [];
  const controller = node.interruptParent;
  if (controller === undefined) throw node.malformed('interrupts', 'no interrupt parent');
  const count = interruptCells(controller, node, 'interrupts', 0);
  if (count === 0 || cells.length % count !== 0)
    throw node.malformed('interrupts', `${cells.length} cells, a multiple of ${count} wanted`);
  const specs: InterruptSpec[] = [];
  for (let cell = 0; cell < cells.length; cell += count)
    specs.push(routed({ node, property: 'interrupts', cell }, controller, cells.slice(cell, cell + count)));
  return specs;
}

function extendedOf(node: FdtFirmwareNode): readonly InterruptSpec[] {
  const property = 'interrupts-extended';
  const cells = node.u32s(property) ?? [];
  const specs: InterruptSpec[] = [];
  for (let cell = 0; cell < cells.length;) {
    // A phandle of 0 stands alone, for an interrupt that is not wired.
    if (cells[cell] === 0) {
      cell++;
      continue;
    }
    const controller = node.referenced(property, cells[cell], cell);
    const end = cell + 1 + interruptCells(controller, node, property, cell);
    if (end > cells.length) throw node.malformed(property, 'the last entry is cut short', cell * 4);
    specs.push(routed({ node, property, cell }, controller, cells.slice(cell + 1, end)));
    cell = end;
  }
  return specs;
}

function routed(origin: Origin, controller: FdtFirmwareNode, args: readonly number[]): InterruptSpec {
  const { node, property, cell } = origin;
  const unitAddress = node.has('reg') ? node.u32s('reg') : undefined;
  const spec = route(controller, unitAddress, nexusAddressCells(controller), args, origin);
  if (spec === undefined) throw node.malformed(property, 'no interrupt-map entry matches', cell * 4);
  return spec;
}

/** @linux of_irq_parse_raw */
function route(
  start: FdtFirmwareNode,
  startUnitAddress: readonly number[] | undefined,
  startAddressCells: number,
  startArgs: readonly number[],
  origin: Origin,
): InterruptSpec | undefined {
  let [at, unitAddress, addressCells, args] = [start, startUnitAddress, startAddressCells, startArgs];
  for (let hops = 0; hops < MOST_HOPS; hops++) {
    if (at.has('interrupt-controller') && !mapsForChildren(at)) return { controller: at, args };
    if (!at.has('interrupt-map')) {
      const parent = at.interruptParent;
      if (parent === undefined) throw malformed(origin, `no interrupt controller beyond ${at.path}`);
      at = parent;
      continue;
    }
    const target = throughMap(at, unitAddress, addressCells, args, origin);
    if (target === undefined) return undefined;
    if (target.parent === at) return { controller: at, args: target.args };
    ({ parent: at, unitAddress, args } = target);
    addressCells = target.unitAddress.length;
  }
  throw malformed(origin, 'the way to its controller is a loop');
}

function throughMap(
  nexus: FdtFirmwareNode,
  unitAddress: readonly number[] | undefined,
  addressCells: number,
  args: readonly number[],
  origin: Origin,
): MapTarget | undefined {
  if (addressCells > 0 && unitAddress === undefined)
    throw malformed(origin, `no reg for the interrupt-map of ${nexus.path}`);
  const match: number[] = [];
  for (let cell = 0; cell < addressCells; cell++) match.push(unitAddress?.[cell] ?? 0);
  match.push(...args);
  return interruptMapOf(nexus, addressCells, args.length)?.(match);
}

function mapsForChildren(controller: FdtFirmwareNode): boolean {
  return controller.has('interrupt-map') && !controller.compatible.some((name) => OWN_MAP.includes(name));
}

/** `#address-cells` of a nexus, or of the nearest parent that has it: trees from before the specification rely on it. */
function nexusAddressCells(nexus: FdtFirmwareNode): number {
  for (let node: FdtFirmwareNode | undefined = nexus; node !== undefined; node = node.parent) {
    const count = node.cellCount('#address-cells', MOST_ARGS);
    if (count !== undefined) return count;
  }
  return 2;
}

function malformed(origin: Origin, message: string): Error {
  return origin.node.malformed(origin.property, message, origin.cell * 4);
}
