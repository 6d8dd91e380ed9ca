// SPDX-License-Identifier: Apache-2.0

import type { Rig } from '../rig/rig.js';
import { MsiDevice } from './msi-device.js';
import type { SourceKind } from './source.js';

const DEFAULT_DEVICE_IDS = [8, 16] as const;

/** The first or the second device of the machine. */
export function openDevice(rig: Rig, which: 0 | 1 = 0): MsiDevice {
  const device = new MsiDevice(rig, (rig.machine.deviceIds ?? DEFAULT_DEVICE_IDS)[which]);
  rig.onClose(() => device.disable());
  return device;
}

/** `nr` vectors of one device. */
export function msiVectors(nr: number): SourceKind {
  return {
    name: 'msi',
    open: (rig) => openDevice(rig).enable(nr),
    identify(rig, { virq }) {
      const desc = rig.host.irqs.irqData(virq).common.msiDesc;
      return { address: desc?.msg.address, data: desc?.msg.data };
    },
  };
}
