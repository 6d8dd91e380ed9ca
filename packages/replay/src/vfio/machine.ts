// SPDX-License-Identifier: Apache-2.0
// The machine that VFIO calls are played on: the devicetree and the functions of a recorded boot, our models as its hardware and
// our drivers as its kernel.

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createBoard } from '@irqkit/board';
import type { Board } from '@irqkit/board';
import { LinuxError, createHost } from '@irqkit/core';
import type { Host, IommuFault } from '@irqkit/core';
import { firmwareFromFdt } from '@irqkit/fdt';
import { gicV2 } from '@irqkit/gic-v2';
import { gicV2m } from '@irqkit/gic-v2m';
import { gicV3 } from '@irqkit/gic-v3';
import { gicV3Its } from '@irqkit/gic-v3-its';
import { PciHostModel, pciHostGeneric, topologyFromRecords } from '@irqkit/pci';
import type { PciDevice, PciFunctionModel, PciRecord } from '@irqkit/pci';
import { smmuV3 } from '@irqkit/smmu-v3';
import { VfioPciDriver, VfioSystem } from '@irqkit/vfio-type1';
import type { VfioSettings } from '@irqkit/vfio-type1';
import { CaptureError } from '../capture/capture-error.js';
import { jsonLines } from '../capture/json-lines.js';
import { readFile } from '../capture/read-file.js';

/** Where the boot of a recording `…/vfio/A.jsonl` is, unless it is named: `…/boots/A`. */
export function bootDirectoryOf(recording: string): string {
  const name = recording.replace(/^.*[/\\]/, '').replace(/\.jsonl$/, '');
  return join(dirname(recording), '..', 'boots', name);
}

const COMMAND = 4;
const IO_SPACE_ENABLE = 1;

/** Drivers that leave DMA to others. @linux device_driver.driver_managed_dma */
const MANAGED_DMA: ReadonlySet<string> = new Set(['pcieport']);

export class VfioMachine {
  readonly board: Board;
  readonly host: Host;
  readonly vfio: VfioSystem;
  /** What the IOMMU stopped since the kernel's log was read last. */
  readonly faults: IommuFault[] = [];
  readonly #functions: readonly RecordedFunction[];

  /** @throws CaptureError for a boot that is not there or malformed */
  constructor(bootDir: string, settings: Partial<VfioSettings>) {
    if (!existsSync(bootDir))
      throw new CaptureError(bootDir, 'no such directory: the boot of the recorded machine (platform.dtb, pci.jsonl)');
    const firmware = firmwareFromFdt(readFile(join(bootDir, 'platform.dtb')));
    const functions = readFunctions(join(bootDir, 'pci.jsonl'));
    this.#functions = functions;
    const plugins = [pciHostGeneric, gicV2, gicV2m, gicV3, gicV3Its, smmuV3];
    const pcie = firmware.nodes.find(({ compatible }) => compatible.includes('pci-host-ecam-generic'));
    if (!pcie) throw new CaptureError(join(bootDir, 'platform.dtb'), 'no PCI host bridge');
    const plugged = { [pcie.path]: topologyFromRecords(functions.map(({ record }) => record)) };
    this.board = createBoard({ firmware, plugins, plugged });
    this.host = createHost({ firmware, plugins, bus: this.board.bus });
    this.host.iommus.onFault((fault) => this.faults.push(fault));
    const { irqs, devices } = this.host;
    const driver = new VfioPciDriver({ irqs, devices, bus: this.board.bus });
    this.vfio = new VfioSystem({ host: this.host, driver, settings });
    this.#bindHostDrivers(groupsOf(join(bootDir, 'iommu_groups.jsonl')));
  }

  /** @throws LinuxError ENODEV */
  device(name: string): PciDevice {
    const device = this.host.devices.find(name);
    if (!device) throw new LinuxError('ENODEV', `${name}: no such device`);
    return device as PciDevice;
  }

  /** The hardware of a function. @throws LinuxError ENODEV */
  model(name: string): PciFunctionModel {
    const { id } = this.device(name);
    for (const model of this.board.models.values())
      if (model instanceof PciHostModel) {
        const found = model.functionAt(id >>> 8, (id >>> 3) & 31, id & 7);
        if (found) return found;
      }
    throw new LinuxError('ENODEV', `${name}: no such function`);
  }

  /** The driver that had it when the boot was recorded; empty for none. */
  hostDriverOf(name: string): string {
    return this.#functions.find(({ record }) => record.bdf === name)?.driver ?? '';
  }

  bindHostDriver(name: string, driver: string): void {
    const device = this.device(name);
    this.vfio.bindings.bind(device, { name: driver, managedDma: MANAGED_DMA.has(driver) });
    if (device.iommuGroup && this.vfio.bindings.claimed(device.iommuGroup)) return;
    device.enable();
    device.writeConfig(COMMAND, device.readConfig(COMMAND, 2) | this.#recordedIoDecoding(name), 2);
  }

  /** Its driver, whoever it is, lets it go. */
  unbind(name: string): void {
    const device = this.device(name);
    if (this.vfio.isBound(device)) this.vfio.unbindDevice(device);
    else {
      this.vfio.bindings.unbind(device);
      device.disable();
    }
  }

  /** @throws LinuxError as probing does */
  bindVfio(name: string): void {
    const device = this.device(name);
    this.host.iommus.dmaConfigure(device);
    this.vfio.bindDevice(device);
  }

  close(): void {
    this.host.teardown();
    this.board.dispose();
  }

  // Whether a driver switches I/O decoding on too is its own choice.
  #recordedIoDecoding(name: string): number {
    const config = this.#functions.find(({ record }) => record.bdf === name)?.record.config ?? '';
    return parseInt(config.slice(2 * COMMAND, 2 * COMMAND + 2) || '0', 16) & IO_SPACE_ENABLE;
  }

  // Groups are numbered in the order in which drivers took their devices.
  #bindHostDrivers(groups: readonly (readonly string[])[]): void {
    const inOrder = [...groups.flat(), ...this.#functions.map(({ record }) => record.bdf)];
    for (const name of new Set(inOrder)) {
      const driver = this.hostDriverOf(name);
      if (driver) this.bindHostDriver(name, driver);
    }
  }
}

interface RecordedFunction {
  readonly record: PciRecord;
  readonly driver: string | undefined;
}

function readFunctions(path: string): readonly RecordedFunction[] {
  return jsonLines(path, readFile(path).toString('utf8')).map(({ record }) => ({
    record: {
      bdf: record.string('bdf'),
      config: record.string('config'),
      resource: record.records('resource').map((one) => ({
        i: one.integer('i'),
        start: one.string('start'),
        end: one.string('end'),
        flags: one.string('flags'),
      })),
    },
    driver: record.has('driver') ? record.string('driver') : undefined,
  }));
}

/** The devices of each group, ascending. */
function groupsOf(path: string): readonly (readonly string[])[] {
  return jsonLines(path, readFile(path).toString('utf8'))
    .map(({ record }) => ({ id: record.integer('group'), devices: record.list('devices').map(String) }))
    .sort((a, b) => a.id - b.id)
    .map(({ devices }) => devices);
}
