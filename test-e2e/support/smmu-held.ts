// SPDX-License-Identifier: Apache-2.0
// All that can be seen of what software holds, in hardware, in memory and in its frameworks. Offsets are typed from IHI 0069
// (GITS_BASER0, whose levels and entries are those of QEMU's virt: 8 bytes each, of pages of 64 KiB at level 2).

import { LinuxError, physAddr } from '@irqkit/core';
import type { HookedBus } from './hooked-bus.js';
import type { SmmuSystem } from './smmu-system.js';
import type { SmmuTables } from './smmu-tables.js';

const GITS_BASER0 = 0x100;
const ENTRY_BYTES = 8;
const CONFIG_BYTES = 256;

export interface Observed {
  readonly system: SmmuSystem;
  readonly bus: HookedBus;
  readonly tables: SmmuTables;
  /** The base of the ITS, and of the ECAM. */
  readonly its: number;
  readonly ecam: number;
}

export function held({ system, bus, tables, its, ecam }: Observed): object {
  const { irqs, iommus } = system.host;
  const { board, devices } = system;
  const word = (at: number): number => board.access.read(physAddr(at), 4, 0);
  const ids = devices.map(({ requesterId }) => requesterId);
  return {
    deviceTable: deviceTable(system, its),
    configSpace: ids.map((id) => Array.from({ length: CONFIG_BYTES / 4 }, (_, n) => word(ecam + id * 0x1000 + 4 * n))),
    memory: bus.taken,
    irqs: irqs.all.map(({ virq }) => virq),
    mapped: devices.map(({ msiDomain }) => [msiDomain!.nrMapped, msiDomain!.parent!.nrMapped]),
    descs: devices.map(({ msiDescs }) => msiDescs.length),
    programmed: devices.map((_, which) => system.programmed(which)),
    groups: iommus.groups.map((group) => [group.id, group.devices, iommus.domainOf(group).type]),
    bindings: devices.map((device, which) => device.iommuGroup && system.domain(which).msiBindings?.bindings),
    nextIova: devices.map((device, which) => device.iommuGroup && nextIova(system, which)),
    streams: ids.map((sid) => tables.entry(sid)?.map(String)),
    tables: ids.map((sid) => tables.descriptors(sid).map(({ level, iova, value }) => `${level} ${iova} ${value}`)),
    answers: system.taken(() =>
      devices.forEach((_, which) =>
        system.programmed(which).forEach((_address, vector) => system.raise(which, vector)),
      ),
    ),
  };
}

/** The entry of level 1 that is for the first DeviceIDs, and below it those of DeviceIDs 0 to 31. */
function deviceTable({ board }: SmmuSystem, its: number): readonly string[] {
  const load = (at: number, nr: number): readonly bigint[] => {
    const bytes = new Uint8Array(nr * ENTRY_BYTES);
    board.ram.load(physAddr(at), bytes);
    return [...new BigUint64Array(bytes.buffer)];
  };
  const baser = board.access.read(physAddr(its + GITS_BASER0), 4, 0);
  const [first] = load(baser - (baser % 0x1000), 1);
  const valid = first >> 63n === 1n;
  // Bits [51:16] of a level 1 entry.
  const below = valid ? load(Number((first >> 16n) & 0xf_ffff_ffffn) * 0x1_0000, 32) : [];
  return [first, ...below].map(String);
}

/** How many IOVAs are out, and which would be the next: -1 for none. */
function nextIova(system: SmmuSystem, which: number): readonly [nrAllocated: number, next: number] | undefined {
  const iovas = system.host.iommus.dmaDomainOf(system.devices[which])?.iovas;
  if (!iovas) return undefined;
  const { nrAllocated } = iovas;
  try {
    const iova = iovas.alloc(0x1000);
    iovas.free(iova);
    return [nrAllocated, iova];
  } catch (error) {
    if (!LinuxError.is(error, 'ENOSPC')) throw error;
    return [nrAllocated, -1];
  }
}
