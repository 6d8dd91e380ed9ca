// SPDX-License-Identifier: Apache-2.0
// Room for DeviceIDs in the device table: pages of a two-level one come with the first device that needs them. IHI 0069,
// section 5.2.2 "The device table".

import { hex } from '@irqkit/bits';
import { LinuxError } from '@irqkit/core';
import { LEVEL1_ENTRY } from '../regs.js';
import type { ItsTable } from './its-table.js';
import type { ItsUnit } from './its-unit.js';

export class DeviceTable {
  readonly #unit: ItsUnit;
  readonly #table: ItsTable | undefined;

  /** `table`: undefined where the ITS keeps devices within itself. */
  constructor(unit: ItsUnit, table: ItsTable | undefined) {
    this.#unit = unit;
    this.#table = table;
  }

  /**
   * Makes sure that `deviceId` has an entry. A page once there stays until the ITS is disabled: no command drops what it has
   * cached of the first level.
   * @throws LinuxError ENOSPC, ENOMEM @linux its_alloc_device_table
   */
  reach(deviceId: number): void {
    const table = this.#table;
    if (deviceId >= 2 ** this.#unit.features.deviceIdBits) this.#noRoom(deviceId);
    if (!table) return;
    if (!table.indirect) {
      if ((deviceId + 1) * table.entryBytes > table.buffer.sizeBytes) this.#noRoom(deviceId);
      return;
    }
    const at = Math.floor(deviceId / Math.floor(table.pageBytes / table.entryBytes)) * LEVEL1_ENTRY.bytes;
    if (at >= table.buffer.sizeBytes) this.#noRoom(deviceId);
    const entry = table.buffer.words.subarray(at / 4, (at + LEVEL1_ENTRY.bytes) / 4);
    if (LEVEL1_ENTRY.Valid(entry) === 1) return;
    const what = `the page of the device table with DeviceID ${hex(deviceId)}`;
    LEVEL1_ENTRY.Physical_Address.put(entry, this.#unit.memory.alloc(table.pageBytes, table.pageBytes, what).base);
    LEVEL1_ENTRY.Valid.put(entry, 1);
  }

  #noRoom(deviceId: number): never {
    throw new LinuxError('ENOSPC', `${this.#unit.path}: no room for DeviceID ${hex(deviceId)}`);
  }
}
