// SPDX-License-Identifier: Apache-2.0
// What the kit adds to an IOMMU's machine: a bus of devices behind the IOMMU, and an MSI controller that they write to.

import { alignUp, overlaps } from '@irqkit/bits';
import { physAddr } from '@irqkit/core';
import type { Firmware, FirmwareNode, Region } from '@irqkit/core';
import { expectThat } from '../../expect/expect.js';
import { ownNode, withOwnNodes } from '../../rig/own-node.js';
import type { IommuMachine } from '../capabilities.js';

export const BUS_COMPATIBLE = 'irqkit,conformance-devices';
export const BUS_PATH = '/irqkit-devices';
export const DOORBELL_COMPATIBLE = 'irqkit,conformance-doorbell';
export const DOORBELL_PATH = '/irqkit-doorbell';

/** One page of the largest granule there is. */
const DOORBELL_BYTES = 0x1_0000;

const DEFAULT_STREAM_IDS = [8, 16] as const;

/** The ids by which the IOMMU knows the device `requesterId`: those of the kit's own, then the foreign ones. */
export function streamIdOf(
  { streamIds = DEFAULT_STREAM_IDS, foreignStreamIds = [] }: IommuMachine,
  requesterId: number,
) {
  return [...streamIds, ...foreignStreamIds][requesterId];
}

export function withDevices(machine: IommuMachine): IommuMachine {
  const { firmware, path } = machine;
  const iommu = firmware.find(path);
  expectThat(iommu !== undefined, () => `${path}: firmware has no such node`);
  const frame = { base: physAddr(freeAddress(firmware)), sizeBytes: DOORBELL_BYTES };
  const doorbell = ownNode(firmware.root, DOORBELL_PATH.slice(1), DOORBELL_COMPATIBLE, { regs: [frame] });
  const bus = ownNode(firmware.root, BUS_PATH.slice(1), BUS_COMPATIBLE, {
    mapId: (kind, requesterId) => mapId(machine, { iommu, msi: doorbell }[kind], kind, requesterId),
  });
  return { ...machine, firmware: withOwnNodes(firmware, [bus, doorbell]) };
}

function mapId(machine: IommuMachine, controller: FirmwareNode, kind: 'msi' | 'iommu', requesterId: number) {
  return { controller, id: kind === 'iommu' ? streamIdOf(machine, requesterId) : requesterId };
}

/** The lowest where nothing stands that firmware names, but for address 0. */
function freeAddress({ nodes, memory }: Firmware): number {
  const windows = nodes.flatMap(({ ranges }) =>
    ranges.map(({ parentBase, sizeBytes }) => ({ base: parentBase, sizeBytes })),
  );
  const taken: readonly Region[] = [...memory, ...windows, ...nodes.flatMap(({ regs }) => regs)];
  let at = DOORBELL_BYTES;
  const blocker = () => taken.find(({ base, sizeBytes }) => overlaps(at, DOORBELL_BYTES, base, sizeBytes));
  for (let region = blocker(); region; region = blocker()) at = alignUp(region.base + region.sizeBytes, DOORBELL_BYTES);
  return at;
}
