// SPDX-License-Identifier: Apache-2.0
// Linux's machine with an ITS and an SMMU again: its devicetree, its PCI functions as shells. A host enables, requests and frees
// vectors in the order in which Linux did when its commands were recorded (shared data, replay/A and replay/D, of a machine with
// the same functions).

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createBoard } from '@irqkit/board';
import type { Board } from '@irqkit/board';
import { createHost, physAddr } from '@irqkit/core';
import type { Host, HostOptions, Plugin, Silicon } from '@irqkit/core';
import { firmwareFromFdt } from '@irqkit/fdt';
import { PciHostDriver } from '@irqkit/pci';
import type { PciDevice } from '@irqkit/pci/host';
import { topologyFromRecords } from '@irqkit/pci/model';
import type { PciRecord } from '@irqkit/pci/model';
import { sharedPath } from '@irqkit-test/env';
import { readJsonLines, unpackFixture } from './fixtures.js';
import type { QueuedCommand } from './its-queue.js';

export interface RecordedFunction extends PciRecord {
  readonly driver: string | null;
  /** How each of its Linux interrupts is raised. */
  readonly msi_irqs: Readonly<Record<string, 'msi' | 'msix'>>;
  readonly msix?: {
    readonly off: number;
    readonly ctrl: string;
    readonly table: readonly TableEntry[];
    readonly table_bir: number;
    readonly table_off: string;
  };
  readonly msi?: { readonly off: number; readonly ctrl: string; readonly addr: string; readonly data: string };
}

export interface TableEntry {
  readonly addr: string;
  readonly data: string;
  readonly ctrl: string;
}

/** One of Linux's commands, as QEMU decoded it. */
interface RecordedCommand {
  readonly ev: string;
  readonly cmd: string;
  readonly devid: number;
  readonly eventid: number;
  readonly intid: number;
  readonly size: number;
  readonly v: number;
}

/** Where the recordings are. */
export interface BootFiles {
  /** A file of the booted machine. */
  boot(name: string): string;
  /** A file of a capture. */
  capture(capture: string, name: string): string;
}

export const sharedFiles: BootFiles = {
  boot: (name) => sharedPath('data', 'boots', 'A', name),
  capture: (capture, name) => sharedPath('data', 'replay', capture, name),
};

/** What comes with the repository. */
export function fixtureFiles(): BootFiles {
  const folder = unpackFixture('boot-a');
  return {
    boot: (name) => join(folder, name),
    capture: (capture, name) => join(folder, name.replace('.', `-${capture}.`)),
  };
}

/** Linux's ITS commands of a capture. */
export function commandsOf(files: BootFiles, capture: string): readonly QueuedCommand[] {
  return readJsonLines<RecordedCommand>(files.capture(capture, 'its-events.jsonl'))
    .filter(({ ev }) => ev === 'cmd')
    .map(({ cmd, devid, eventid, intid, size, v }) => ({
      name: cmd,
      deviceId: devid,
      eventId: eventid,
      intid,
      icid: 0,
      size,
      valid: v === 1,
    }));
}

/** How many vectors a device enables: its MAPTIs up to its next MAPD. */
function nrVectors(commands: readonly QueuedCommand[], at: number): number {
  const own = commands.slice(at + 1).filter(({ deviceId }) => deviceId === commands[at].deviceId);
  const end = own.findIndex(({ name }) => name === 'MAPD');
  return own.slice(0, end < 0 ? undefined : end).filter(({ name }) => name === 'MAPTI').length;
}

export interface BootFacts {
  readonly files: BootFiles;
  readonly plugins: readonly Plugin[];
  readonly silicon?: Readonly<Record<string, Silicon>>;
  readonly iommu?: HostOptions['iommu'];
}

const handler = (): boolean => true;

export class BootA {
  readonly board: Board;
  readonly host: Host;
  readonly records: readonly RecordedFunction[];
  /** By DeviceID. */
  readonly devices: ReadonlyMap<number, PciDevice>;

  constructor({ files, plugins, silicon, iommu }: BootFacts) {
    this.records = readJsonLines<RecordedFunction>(files.boot('pci.jsonl'));
    const firmware = firmwareFromFdt(readFileSync(files.boot('platform.dtb')));
    const plugged = { '/pcie@10000000': topologyFromRecords(this.records) };
    this.board = createBoard({ firmware, plugins, silicon, plugged });
    this.host = createHost({ firmware, plugins, bus: this.board.bus, iommu });
    const bridge = this.host.drivers.map(({ instance }) => instance).find((driver) => driver instanceof PciHostDriver);
    this.devices = new Map(bridge?.devices.map((device) => [device.msiDeviceId, device]));
  }

  device(name: string): PciDevice {
    return this.host.devices.find(name) as PciDevice;
  }

  recordOf(device: PciDevice): RecordedFunction {
    return this.records.find(({ bdf }) => bdf === device.name)!;
  }

  /** What Linux's drivers asked of its frameworks, one call for each first sign of it among the commands. */
  replay(recorded: readonly QueuedCommand[]): void {
    const requested = new Set<number>();
    recorded.forEach(({ name, deviceId, eventId, valid }, at) => {
      const device = this.devices.get(deviceId)!;
      if (name === 'MAPD' && valid) {
        device.enable();
        const nr = nrVectors(recorded, at);
        if (Object.values(this.recordOf(device).msi_irqs).includes('msix')) device.enableMsix(nr);
        else device.enableMsi(nr);
      } else if (name === 'INV') {
        const { virq } = device.msiDescs[eventId];
        if (requested.delete(virq)) this.host.irqs.freeIrq(virq, handler);
        else {
          requested.add(virq);
          this.host.irqs.requestIrq(virq, handler, `${device.name} ${eventId}`);
        }
      } else if (name === 'DISCARD' && device.msiDescs.length > 0) device.freeVectors();
    });
  }

  /** The entries of a function's MSI-X table that a record has. */
  readTable(device: PciDevice): readonly TableEntry[] {
    const { table, table_bir, table_off } = this.recordOf(device).msix!;
    const base = device.barRegion(table_bir).base + Number(table_off);
    const word = (index: number, at: number) => hex(this.board.access.read(physAddr(base + 16 * index + at), 4, 0));
    return table.map((_, index) => ({ addr: word(index, 0), data: word(index, 8), ctrl: word(index, 12) }));
  }

  close(): void {
    this.host.teardown();
    this.board.dispose();
  }
}

export function hex(value: number, digits = 0): string {
  return `0x${value.toString(16).padStart(digits, '0')}`;
}
