// SPDX-License-Identifier: Apache-2.0

import { LinuxError } from '@irqkit/core';
import { expectErrno, expectThat, thrownBy } from '../expect/expect.js';
import { withRigs } from '../rig/rig.js';
import { MOST_VECTORS } from '../sources/bus-domain.js';
import type { MsiDevice } from '../sources/msi-device.js';
import { openDevice } from '../sources/msi-vectors.js';
import type { IrqChipCheck, Subject } from './capabilities.js';

export const exhaustionChecks = (subject: Subject): readonly IrqChipCheck[] => [
  {
    title: 'msi: running out of vectors is ENOSPC, and nothing of the attempt stays',
    needs: ['msi', 'exhaustion'],
    run() {
      withRigs(1, subject.plugins, subject.setup, (rig) => {
        rig.probe();
        const device = openDevice(rig, 0);
        const other = openDevice(rig, 1);
        const before = rig.taken;
        const most = capacityOf(device);
        expectErrno(() => device.enable(most + 1), 'ENOSPC', `enabling ${most + 1} vectors where there are ${most}`);
        rig.expectTaken(before, 'after running out of vectors');
        device.enable(most);
        const full = rig.taken;
        expectErrno(() => other.enable(1), 'ENOSPC', `enabling one more vector where all ${most} are taken`);
        rig.expectTaken(full, 'after another device found no vector');
        device.disable();
        other.enable(1);
      });
    },
  },
];

/** How many vectors the device can have: all or nothing is enabled, so that trying tells. */
export function capacityOf(device: MsiDevice): number {
  let [most, refused] = [0, 1];
  while (canEnable(device, refused)) {
    [most, refused] = [refused, refused * 2];
    expectThat(refused <= MOST_VECTORS, () => `${most} vectors do not exhaust it: state that as unsupported`);
  }
  while (refused - most > 1) {
    const middle = Math.floor((most + refused) / 2);
    if (canEnable(device, middle)) most = middle;
    else refused = middle;
  }
  return most;
}

function canEnable(device: MsiDevice, nr: number): boolean {
  const error = thrownBy(() => device.enable(nr));
  if (error === undefined) device.disable();
  else expectThat(LinuxError.is(error, 'ENOSPC'), () => `enabling ${nr} vectors: ${error.message}, not ENOSPC`);
  return error === undefined;
}
