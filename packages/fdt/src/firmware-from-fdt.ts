// SPDX-License-Identifier: Apache-2.0
// A devicetree as core's Firmware: Devicetree Specification v0.4, chapters 2 and 3 (/memory, /cpus).

import type { Firmware, FirmwareNode, Region } from '@irqkit/core';
import { addressCells, readAddress, toNumber } from './bus-address.js';
import { checkTree } from './check-tree.js';
import type { Fdt, FdtNode } from './fdt.js';
import { FdtFirmwareNode } from './fdt-firmware-node.js';
import { parseFdt } from './parse-fdt.js';
import { Phandles } from './phandles.js';

/**
 * A devicetree for boards, hosts and planners. Properties are decoded when they are read.
 * @throws FirmwareError where the blob or the tree as such is malformed.
 */
export function firmwareFromFdt(source: Uint8Array | Fdt): Firmware {
  if (!('root' in source)) return new FdtFirmware(parseFdt(source).root);
  checkTree(source);
  return new FdtFirmware(source.root);
}

class FdtFirmware implements Firmware {
  readonly root: FdtFirmwareNode;
  readonly nodes: readonly FdtFirmwareNode[];
  readonly #paths = new Map<string, FdtFirmwareNode>();
  readonly #phandles = new Phandles();

  constructor(root: FdtNode) {
    const nodes: FdtFirmwareNode[] = [];
    const add = (source: FdtNode, parent: FdtFirmwareNode | undefined): FdtFirmwareNode => {
      const node = new FdtFirmwareNode(source, parent, this.#phandles);
      nodes.push(node);
      this.#paths.set(node.path, node);
      this.#phandles.add(node);
      for (const child of source.children) node.children.push(add(child, node));
      return node;
    };
    this.root = add(root, undefined);
    this.nodes = nodes;
  }

  find(path: string): FirmwareNode | undefined {
    return this.#paths.get(path);
  }

  byPhandle(phandle: number): FirmwareNode | undefined {
    return this.#phandles.all(phandle).at(0);
  }

  get memory(): readonly Region[] {
    return this.root.children
      .filter((node) => node.available && (node.equals('device_type', 'memory') || node.isCalled('memory')))
      .flatMap((node) => node.regs)
      .filter(({ sizeBytes }) => sizeBytes > 0);
  }

  get cpus(): readonly number[] {
    const cpus = this.root.children.find(({ name }) => name === 'cpus');
    if (cpus === undefined) return [];
    return cpus.children
      .filter((node) => node.available && (node.equals('device_type', 'cpu') || node.isCalled('cpu')))
      .map((cpu) => mpidrOf(cpu, addressCells(cpus)));
  }
}

/** Devicetree Specification v0.4, section 3.8.1, and Linux's binding arm/cpus.yaml: one or two cells of MPIDR affinity. */
function mpidrOf(cpu: FdtFirmwareNode, count: number): number {
  const cells = cpu.u32s('reg');
  if (cells === undefined || count === 0 || cells.length < count)
    throw cpu.malformed('reg', `${cells?.length ?? 0} cells, ${count} wanted`);
  return toNumber(readAddress(cells, 0, count), cpu, 'reg', 0);
}
