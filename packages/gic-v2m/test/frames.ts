// SPDX-License-Identifier: Apache-2.0
// Machines with MSI frames under a plain controller, and their host.

import { createBoard } from '@irqkit/board';
import type { Board } from '@irqkit/board';
import { devicetree, plainController } from '@irqkit/conformance';
import type { DevicetreeNode } from '@irqkit/conformance';
import { createHost } from '@irqkit/core';
import type { Bus, Firmware, FirmwareNode, Host, IrqDomain, MsiMsg, PhysAddr, Silicon } from '@irqkit/core';
import { gicV2m } from '@irqkit/gic-v2m';

const parent = plainController('arm,cortex-a15-gic');
export const plugins = [gicV2m, parent];

/** Properties of each frame over what every frame has; the i-th is at 0x8020000 + i * 64 KiB. */
export function frameTree(frames: readonly DevicetreeNode[]): Firmware {
  const nodes = frames.map((properties, i) => {
    const base = frameBase(i);
    const node = {
      compatible: 'arm,gic-v2m-frame',
      reg: [base, 0x1000],
      'msi-controller': true as const,
      ...properties,
    };
    return [`v2m@${base.toString(16)}`, node] as const;
  });
  return devicetree({
    '#address-cells': 1,
    '#size-cells': 1,
    cpus: { '#address-cells': 1, '#size-cells': 0, 'cpu@0': { device_type: 'cpu', reg: 0 } },
    'intc@8000000': {
      compatible: 'arm,cortex-a15-gic',
      reg: [0x800_0000, 0x1000],
      '#address-cells': 1,
      '#size-cells': 1,
      ranges: true,
      'interrupt-controller': true,
      '#interrupt-cells': 3,
      ...Object.fromEntries(nodes),
    },
  });
}

export const frameBase = (index: number): number => 0x802_0000 + index * 0x1_0000;

export interface FrameMachine {
  readonly firmware: Firmware;
  readonly board: Board;
  readonly host: Host;
  readonly nodes: readonly FirmwareNode[];
  /** The domain that frame 0 leads to. */
  readonly domain: IrqDomain;
  /** The INTIDs of a new block. */
  alloc(nr: number): readonly number[];
  /** Gives back the block that begins with this INTID. */
  free(intid: number, nr: number): void;
  /** What a device would be programmed with for this INTID. */
  message(intid: number): MsiMsg;
}

export function frameMachine(
  frames: readonly DevicetreeNode[],
  silicon: Readonly<Record<number, Silicon>> = {},
  over: (bus: Bus) => Bus = (bus) => bus,
): FrameMachine {
  const firmware = frameTree(frames);
  const nodes = frameNodes(firmware);
  const values = Object.entries(silicon).map(([i, value]) => [nodes[Number(i)].path, value] as const);
  const board = createBoard({ firmware, plugins, silicon: Object.fromEntries(values) });
  const host = createHost({ firmware, plugins, bus: over(board.bus) });
  const { irqs } = host;
  const domain = irqs.requireDomain(nodes[0], 'msi-parent');
  const dataOf = (intid: number) => {
    const data = domain.find(intid);
    if (!data) throw new Error(`INTID ${intid} is not allocated`);
    return data;
  };
  return {
    firmware,
    board,
    host,
    nodes,
    domain,
    alloc(nr) {
      const virq = irqs.allocIrqs(domain, nr, {});
      return Array.from({ length: nr }, (_, i) => irqs.irqData(virq + i).hwirq);
    },
    free: (intid, nr) => irqs.freeIrqs(dataOf(intid).virq, nr),
    message(intid) {
      const msg: MsiMsg = { address: 0 as PhysAddr, data: 0 };
      const data = dataOf(intid);
      data.chip.composeMsiMsg?.(data, msg);
      return msg;
    },
  };
}

export function frameNodes(firmware: Firmware): readonly FirmwareNode[] {
  return firmware.nodes.filter(({ name }) => name.startsWith('v2m@'));
}

/** Overrides of MSI_TYPER. */
export const spis = (first: number, count: number): DevicetreeNode => ({
  'arm,msi-base-spi': first,
  'arm,msi-num-spis': count,
});
