// SPDX-License-Identifier: Apache-2.0
// The devices an ITS knows, by DeviceID: made when the first device behind one enables MSIs, gone with the last.
// @linux its_msi_prepare, its_create_device

import { hex } from '@irqkit/bits';
import { Devres, LinuxError } from '@irqkit/core';
import type { Device } from '@irqkit/core';
import type { CommandQueue } from './command-queue.js';
import { mapd } from './command-words.js';
import type { DeviceTable } from './device-table.js';
import type { GicLpis } from './gic-lpis.js';
import { ItsDevice } from './its-device.js';
import type { ItsUnit } from './its-unit.js';
import { IttPool } from './itt-pool.js';

/** Devices whose number of vectors is not known well. @linux its_pmsi_prepare, its_pci_msi_prepare */
const MIN_UNKNOWN_VECTORS = 32;
/** An ITT has at least one bit of EventID. */
const MIN_EVENTS = 2;

export class ItsDevices {
  readonly #byId = new Map<number, ItsDevice>();
  readonly #unit: ItsUnit;
  readonly #queue: CommandQueue;
  readonly #table: DeviceTable;
  readonly #lpis: GicLpis;
  readonly #itts: IttPool;

  constructor(unit: ItsUnit, queue: CommandQueue, table: DeviceTable, lpis: GicLpis) {
    this.#unit = unit;
    this.#queue = queue;
    this.#table = table;
    this.#lpis = lpis;
    this.#itts = new IttPool(unit.memory);
  }

  find(deviceId: number): ItsDevice | undefined {
    return this.#byId.get(deviceId);
  }

  get all(): Iterable<ItsDevice> {
    return this.#byId.values();
  }

  /**
   * Makes room for `nr` vectors, and for those of devices with the same DeviceID.
   * @returns what takes that back; it does not throw
   * @throws LinuxError ENOSPC for a DeviceID or vectors that the ITS has no room for, ENOMEM; what the command queue throws
   */
  prepare(device: Device, nr: number): () => void {
    const known = this.#byId.get(device.msiDeviceId);
    if (known) known.users++;
    const prepared = known ?? this.#create(device.msiDeviceId, blockFor(device, nr));
    return () => {
      if (--prepared.users === 0) this.#remove(prepared);
    };
  }

  #create(deviceId: number, nrLpis: number): ItsDevice {
    const { path, features } = this.#unit;
    const nrEvents = Math.max(nrLpis, MIN_EVENTS);
    if (nrEvents > 2 ** features.eventIdBits)
      throw new LinuxError('ENOSPC', `${path}: no room for ${nrEvents} EventIDs of DeviceID ${hex(deviceId)}`);
    this.#queue.checkAlive(() => `DeviceID ${hex(deviceId)} is not mapped`);
    const undo = new Devres();
    try {
      const firstLpi = this.#lpis.space.alloc(nrLpis);
      if (firstLpi < 0)
        throw new LinuxError('ENOSPC', `${path}: no room for ${nrLpis} LPIs of DeviceID ${hex(deviceId)}`);
      undo.add(() => this.#lpis.space.free(firstLpi, nrLpis));
      const itt = this.#itts.alloc(nrEvents * features.ittEntryBytes);
      undo.add(() => this.#itts.free(itt));
      this.#table.reach(deviceId);
      const device = new ItsDevice({ deviceId, itt, nrEvents, firstLpi, nrLpis });
      this.#queue.issue(mapd(device, true), { undo: mapd(device, false) });
      this.#byId.set(deviceId, device);
      return device;
    } catch (error) {
      this.#queue.whenDrained(() => undo.releaseAll());
      throw error;
    }
  }

  /** CHOICE: an ITT that the ITS refuses to let go of, and its LPIs, stay taken until the ITS is disabled. */
  #remove(device: ItsDevice): void {
    this.#byId.delete(device.deviceId);
    if (!this.#queue.takeBack(mapd(device, false))) return;
    this.#queue.whenDrained(() => {
      this.#itts.free(device.itt);
      this.#lpis.space.free(device.firstLpi, device.nrLpis);
    });
  }
}

/** How many LPIs a device takes: a power of two. */
function blockFor(device: Device, nr: number): number {
  const isPlatform = device.msiDomain?.busToken === 'platform-msi';
  const atLeast = isPlatform || device.msiDeviceId === 0 ? MIN_UNKNOWN_VECTORS : 1;
  let block = 1;
  while (block < Math.max(nr, device.msiAliasVectors ?? 0, atLeast)) block *= 2;
  return block;
}
