// SPDX-License-Identifier: Apache-2.0
// The devices behind one SMMU, their StreamIDs, and what their stream table entries lead to. The order in which an entry
// changes: IHI 0070, section 3.21.3 "Configuration structures and invalidation"; Linux 6.1 arm_smmu_write_strtab_ent.

import { hex } from '@irqkit/bits';
import { LinuxError } from '@irqkit/core';
import type { Device, MappedId } from '@irqkit/core';
import type { CommandQueue } from './command-queue.js';
import { cfgiSte, prefetchConfig } from './command-words.js';
import type { SmmuUnit } from './smmu-unit.js';
import { ABORT_ENTRY } from './stream-entry.js';
import type { StreamEntry } from './stream-entry.js';
import type { StreamTable } from './stream-table.js';

/** What streams are led to. */
export interface StreamTarget {
  readonly entry: StreamEntry;
  /** Called before an entry leads to it. @throws LinuxError */
  prepare(): void;
}

interface Master {
  readonly device: Device;
  /** Each once: bridged devices may have one twice. */
  readonly sids: readonly number[];
  /** Undefined while its streams abort. */
  target: StreamTarget | undefined;
}

export class Masters {
  readonly #unit: SmmuUnit;
  readonly #queue: CommandQueue;
  readonly #streams: StreamTable;
  readonly #byDevice = new Map<Device, Master>();
  readonly #bySid = new Map<number, Master>();

  constructor(unit: SmmuUnit, queue: CommandQueue, streams: StreamTable) {
    this.#unit = unit;
    this.#queue = queue;
    this.#streams = streams;
  }

  /**
   * Takes a device in; its streams abort.
   * @throws LinuxError EBUSY for one that is there, EINVAL where another device has one of its StreamIDs, ERANGE, ENOMEM
   * @linux arm_smmu_probe_device, arm_smmu_insert_master
   */
  add(device: Device, ids: readonly MappedId[]): void {
    if (this.#byDevice.has(device))
      throw new LinuxError('EBUSY', `${this.#unit.path}: ${device.name} is there already`);
    const sids = [...new Set(ids.map(({ id }) => id))];
    for (const sid of sids) {
      const other = this.#bySid.get(sid)?.device;
      if (other)
        throw new LinuxError(
          'EINVAL',
          `${this.#unit.path}: StreamID ${hex(sid)} of ${device.name} is that of ${other.name}`,
        );
    }
    this.#streams.cover(sids);
    const master = { device, sids, target: undefined };
    this.#byDevice.set(device, master);
    for (const sid of sids) this.#bySid.set(sid, master);
  }

  /** Lets a device go; one that is not there is no error. Its streams abort. @linux arm_smmu_release_device */
  remove(device: Device): void {
    const master = this.#byDevice.get(device);
    if (!master) return;
    if (master.target) this.#force(master, ABORT_ENTRY);
    this.#byDevice.delete(device);
    for (const sid of master.sids) this.#bySid.delete(sid);
  }

  /**
   * Leads a device's streams to `target`, or has them abort.
   * @throws LinuxError ENODEV for a device that is not there, ETIMEDOUT, EIO; its streams are then led to where they were
   * @linux arm_smmu_attach_dev, arm_smmu_detach_dev
   */
  attach(device: Device, target: StreamTarget | undefined): void {
    const master = this.#byDevice.get(device);
    if (!master) throw new LinuxError('ENODEV', `${this.#unit.path}: ${device.name} is not behind it`);
    const before = master.target;
    const settle = (sid: number): void => this.#queue.issue(cfgiSte(sid));
    try {
      if (before) this.#write(master, ABORT_ENTRY, settle);
      target?.prepare();
      if (target) this.#write(master, target.entry, settle);
    } catch (error) {
      this.#force(master, ABORT_ENTRY);
      if (before) this.#force(master, before.entry);
      throw error;
    }
    master.target = target;
  }

  deviceOf(sid: number): Device | undefined {
    return this.#bySid.get(sid)?.device;
  }

  /** Writes entries whether the SMMU follows or not. */
  #force(master: Master, entry: StreamEntry): void {
    this.#write(master, entry, (sid) => {
      this.#queue.begin();
      this.#queue.add(cfgiSte(sid));
      const failure = this.#queue.sync();
      if (failure) this.#unit.log.warn(failure.message);
    });
  }

  #write({ sids }: Master, entry: StreamEntry, settle: (sid: number) => void): void {
    const [from, to] = entry.before;
    for (const sid of sids) {
      const words = this.#streams.entry(sid);
      if (!entry.translates) {
        words.set(entry.words);
        settle(sid);
        continue;
      }
      words.set(entry.words.subarray(from, to), from);
      settle(sid);
      // One doubleword, which is read at once.
      words.set(entry.words.subarray(0, 2));
      settle(sid);
      if (!this.#unit.skipPrefetch) this.#queue.post(prefetchConfig(sid));
    }
  }
}
