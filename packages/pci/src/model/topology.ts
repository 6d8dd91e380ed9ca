// SPDX-License-Identifier: Apache-2.0
// The tree of functions that a set of records describes, by the bus numbers they were recorded with.

import { LinuxError } from '@irqkit/core';
import { HEADER_LAYOUT, Header_Type, Secondary_Bus_Number } from '../regs.js';
import type { PciSlot } from './pci-slot.js';
import { shellFromRecord } from './shell.js';
import type { PciRecord } from './shell.js';

interface Place {
  readonly bus: number;
  readonly device: number;
  readonly fn: number;
}

/**
 * Shells of every record of one host bridge, to be plugged into its node.
 * @throws LinuxError EINVAL for a malformed record, or one on a bus that no recorded bridge leads to
 */
export function topologyFromRecords(records: readonly PciRecord[]): readonly PciSlot[] {
  const byBus = new Map<number, PciRecord[]>();
  for (const record of records) {
    const { bus } = placeOf(record);
    byBus.set(bus, [...(byBus.get(bus) ?? []), record]);
  }
  const rootBus = Math.min(...byBus.keys());
  const slotsOf = (bus: number): PciSlot[] => {
    const here = byBus.get(bus) ?? [];
    byBus.delete(bus);
    return here.map((record) => {
      const { device, fn } = placeOf(record);
      const secondary = secondaryOf(record);
      const behind = secondary === undefined ? [] : slotsOf(secondary);
      return { device, function: fn, model: shellFromRecord(record), behind };
    });
  };
  const slots = slotsOf(rootBus);
  const [lost] = [...byBus.values()].flat();
  if (lost) throw new LinuxError('EINVAL', `${lost.bdf}: no recorded bridge leads to its bus`);
  return slots;
}

function placeOf({ bdf }: PciRecord): Place {
  const parts = /^(?:[0-9a-f]+:)?([0-9a-f]{2}):([01][0-9a-f])\.([0-7])$/i.exec(bdf);
  if (!parts) throw new LinuxError('EINVAL', `"${bdf}" is no bus:device.function`);
  return { bus: parseInt(parts[1], 16), device: parseInt(parts[2], 16), fn: Number(parts[3]) };
}

function secondaryOf({ config }: PciRecord): number | undefined {
  const byte = (offset: number): number => parseInt(config.slice(2 * offset, 2 * offset + 2), 16);
  if (Header_Type.Header_Layout(byte(Header_Type.offset)) !== HEADER_LAYOUT.BRIDGE) return undefined;
  return byte(Secondary_Bus_Number.offset) || undefined;
}
