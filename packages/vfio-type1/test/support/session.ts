// SPDX-License-Identifier: Apache-2.0
// A process with a container whose groups are attached and whose devices are open, and what tests ask of it.

import { LinuxError } from '@irqkit/core';
import { VFIO_EXTENSION } from '@irqkit/vfio-type1';
import type { Process, Type1, VfioContainer, VfioGroup, WindowPolicy } from '@irqkit/vfio-type1';
import type { Rig } from './rig.js';
import { groupOf } from './rig.js';

export interface Session {
  readonly process: Process;
  readonly container: VfioContainer;
  readonly groups: readonly VfioGroup[];
  readonly iommu: Type1;
  /** Descriptors of the devices. */
  readonly deviceFds: readonly number[];
  /** Maps fresh memory for reading and writing. @returns its address */
  map(iova: number, sizeBytes: number): number;
}

export interface SessionOptions {
  readonly policy?: WindowPolicy;
  readonly type?: number;
  /** Names of devices, made where they are missing: `dev` alone where nothing is said. */
  readonly devices?: readonly string[];
  /** One device behind each IOMMU. */
  readonly onEveryIommu?: boolean;
  readonly process?: Process;
}

export function openedContainer(rig: Rig, options: SessionOptions = {}): Session {
  const { policy, type = VFIO_EXTENSION.TYPE1v2_IOMMU, process = rig.process() } = options;
  const names = options.onEveryIommu ? rig.iommus.map((_, i) => `dev${i}`) : (options.devices ?? ['dev']);
  const devices = names.map((name, i) => {
    const known = rig.core.groups.flatMap(({ devices: members }) => members).find((device) => device.name === name);
    return known ?? rig.bound(name, { iommu: options.onEveryIommu ? rig.iommus[i] : rig.iommu });
  });
  const container = rig.system.openContainer(process, policy);
  const groups = devices.map((device) => rig.system.openGroup(process, groupOf(device).id));
  for (const group of groups) group.setContainer(container);
  container.setIommu(type);
  const deviceFds = groups.map((group, i) => group.getDeviceFd(names[i], process));
  return {
    process,
    container,
    groups,
    iommu: container.iommu,
    deviceFds,
    map(iova, sizeBytes) {
      const vaddr = process.mm.mmap({ sizeBytes });
      container.iommu.mapDma({ iova, sizeBytes, vaddr, read: true, write: true }, process);
      return vaddr;
    },
  };
}

/** The code of what `act` throws; undefined where it throws nothing. */
export function errnoOf(act: () => unknown): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    if (LinuxError.is(error)) return error.code;
    throw error;
  }
}

export function errorOf(act: () => unknown): string {
  try {
    act();
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

/** A structure of words and doublewords after them. */
export function words(given: readonly number[], doublewords: readonly bigint[] = [], sizeBytes = 0): ArrayBuffer {
  const buffer = new ArrayBuffer(Math.max(sizeBytes, given.length * 4 + doublewords.length * 8));
  const view = new DataView(buffer);
  given.forEach((word, i) => view.setUint32(4 * i, word, true));
  doublewords.forEach((doubleword, i) => view.setBigUint64(4 * given.length + 8 * i, doubleword, true));
  return buffer;
}
