// SPDX-License-Identifier: Apache-2.0
// Reads everything that can be read of a blob. FirmwareError is an answer; anything else comes out.

import { FirmwareError } from '@irqkit/core';
import type { Firmware, FirmwareNode } from '@irqkit/core';
import { firmwareFromFdt, parseFdt, printDts, writeFdt } from '@irqkit/fdt';

const IDS = [0x100, 0xffff_ffff];

const ofNode: readonly ((node: FirmwareNode) => unknown)[] = [
  (node) => node.compatible,
  (node) => node.phandle,
  (node) => node.available,
  (node) => node.regs,
  (node) => node.has('reg') && node.reg(0),
  (node) => node.ranges,
  (node) => node.dmaRanges,
  (node) => node.iommus,
  (node) => node.interruptParent,
  (node) => node.interrupts,
  (node) => node.mapInterrupt([0x800, 0, 0], [1]),
  ...IDS.flatMap((id) => [
    (node: FirmwareNode) => node.mapId('msi', id),
    (node: FirmwareNode) => node.mapId('iommu', id),
  ]),
];
const ofFirmware: readonly ((firmware: Firmware) => unknown)[] = [
  (firmware) => firmware.memory,
  (firmware) => firmware.cpus,
  (firmware) => firmware.find('/cpus/cpu@0'),
  (firmware) => firmware.byPhandle(1),
];

/** How many reads were answered by a value, 0 where the blob was refused. */
export function fullDecode(blob: Uint8Array): number {
  const firmware = answerOf(() => firmwareFromFdt(blob));
  if (firmware === undefined) return 0;
  let answers = 0;
  for (const read of ofFirmware) if (answerOf(() => read(firmware) ?? null) !== undefined) answers++;
  for (const node of firmware.nodes)
    for (const read of ofNode) if (answerOf(() => read(node) ?? null) !== undefined) answers++;
  return answers;
}

/** Prints and writes what a blob holds, where it is not refused; the written blob must parse. */
export function printAndWrite(blob: Uint8Array): void {
  const tree = answerOf(() => parseFdt(blob));
  if (tree === undefined) return;
  answerOf(() => printDts(tree));
  parseFdt(writeFdt(tree));
}

function answerOf<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof FirmwareError) return undefined;
    throw error;
  }
}
