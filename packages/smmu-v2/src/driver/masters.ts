// SPDX-License-Identifier: Apache-2.0
// The devices behind one SMMU and their streams. Source: the devicetree binding arm,smmu.yaml for ids and masks; the behaviour
// of Linux 6.1 for the rest.

import { LinuxError } from '@irqkit/core';
import type { Device, FirmwareNode, IommuGroup, MappedId } from '@irqkit/core';
import { FAULT } from './stream-entries.js';
import type { StreamEntries, StreamTarget } from './stream-entries.js';
import type { StreamMatch } from './stream-match.js';

/** Of one cell of an `iommus` entry. */
const CELL_BITS = 0xffff;

export class Masters {
  readonly #node: FirmwareNode;
  readonly #streams: StreamEntries;
  readonly #entriesOf = new Map<Device, readonly number[]>();

  constructor(node: FirmwareNode, streams: StreamEntries) {
    this.#node = node;
    this.#streams = streams;
  }

  /**
   * Takes a device in; streams that nobody has yet fault.
   * @throws LinuxError EBUSY for one that is there; what StreamEntries.take throws @linux arm_smmu_probe_device
   */
  add(device: Device, ids: readonly MappedId[]): void {
    if (this.#entriesOf.has(device))
      throw new LinuxError('EBUSY', `${this.#node.path}: ${device.name} is there already`);
    const streams = ids.map((id) => this.#streamOf(device, id));
    this.#entriesOf.set(device, this.#streams.take(device, streams));
  }

  /** Lets a device go; one that is not there is no error. @linux arm_smmu_release_device */
  remove(device: Device): void {
    this.#streams.release(device, this.#entriesOf.get(device) ?? []);
    this.#entriesOf.delete(device);
  }

  /** Leads a device's streams to `target`, or has them fault. @throws LinuxError ENODEV for a device that is not there */
  attach(device: Device, target: StreamTarget | undefined): void {
    this.#streams.lead(this.#entriesAt(device), target ?? FAULT);
  }

  /**
   * That of the devices which share a stream with this one.
   * @throws LinuxError ENODEV, EINVAL where they are in several @linux arm_smmu_device_group
   */
  groupOf(device: Device): IommuGroup | undefined {
    const sharers = this.#streams.sharers(device, this.#entriesAt(device));
    const [first, ...others] = new Set(sharers.map(({ iommuGroup }) => iommuGroup).filter((group) => group));
    if (others.length > 0)
      throw new LinuxError('EINVAL', `${this.#node.path}: ${device.name} shares streams with several groups`);
    return first;
  }

  /** Whose StreamID it is; where devices share it, the first. */
  deviceOf(streamId: number): Device | undefined {
    return this.#streams.usersOf(streamId).at(0);
  }

  #entriesAt(device: Device): readonly number[] {
    const entries = this.#entriesOf.get(device);
    if (!entries) throw new LinuxError('ENODEV', `${this.#node.path}: ${device.name} is not behind it`);
    return entries;
  }

  /** The mask is the second cell's, or the SMMU's for all. @linux arm_smmu_of_xlate */
  #streamOf(device: Device, { id, args = [] }: MappedId): StreamMatch {
    const mask = args.length > 1 ? args[1] : (this.#node.u32('stream-match-mask') ?? 0);
    if (id > CELL_BITS || mask > CELL_BITS)
      throw new LinuxError('ERANGE', `${this.#node.path}: a StreamID of ${device.name} has more than 16 bits`);
    return { id, mask };
  }
}
