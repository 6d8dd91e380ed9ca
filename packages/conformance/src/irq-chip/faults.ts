// SPDX-License-Identifier: Apache-2.0
// Every resource operation fails once, each in its turn; what was held before is held afterwards (REQUIREMENTS R7).

import { expectSame, expectThat, thrownBy } from '../expect/expect.js';
import { withRigs } from '../rig/rig.js';
import type { Rig } from '../rig/rig.js';
import { sweep } from '../rig/sweep.js';
import type { Swept } from '../rig/sweep.js';
import { Listener } from '../sources/listener.js';
import type { MsiDevice } from '../sources/msi-device.js';
import { openDevice } from '../sources/msi-vectors.js';
import type { ChecksOfKind, IrqChipCheck, Subject } from './capabilities.js';
import { capacityOf } from './exhaustion.js';
import { openEverything } from './open-everything.js';

export const probeFaultChecks = (subject: Subject): readonly IrqChipCheck[] => [
  {
    title: 'a probe that fails at any step leaves nothing behind, and the next one works',
    run() {
      withRigs(1, subject.plugins, subject.setup, (rig) => {
        sweepThrough(rig, 'probing', {
          attempt: () => void rig.probe(),
          undo: () => rig.teardown(),
        });
        rig.probe();
        expectDelivers(rig, openEverything(subject, rig));
      });
    },
  },
];

export const enableFaultChecks: ChecksOfKind = (subject, kind) => [
  {
    title: 'enabling that fails at any step leaves nothing behind, and the next one works',
    run() {
      withRigs(1, subject.plugins, subject.setup, (rig) => {
        rig.probe();
        // What the first device brings may stay: the bus's domain, a page of a table that hardware has cached.
        kind.open(rig);
        rig.close();
        const takesAll = kind.name === 'msi' && subject.supports('exhaustion') ? takingAll(openDevice(rig)) : undefined;
        sweepThrough(rig, 'enabling', {
          attempt: () => void kind.open(rig),
          undo: () => rig.close(),
          verify: takesAll,
        });
        expectDelivers(rig, kind.open(rig));
      });
    },
  },
];

function sweepThrough(rig: Rig, what: string, swept: Swept): void {
  const steps = sweep(rig, what, swept);
  expectThat(steps > 0, () => `${what} takes no resource at all`);
}

/** A vector that was lost is missed when all are wanted. */
function takingAll(device: MsiDevice): (when: string) => void {
  const most = capacityOf(device);
  return (when) => {
    const error = thrownBy(() => device.enable(most));
    expectThat(error === undefined, () => `${when}: ${most} vectors are no longer there: ${error?.message}`);
    device.disable();
  };
}

function expectDelivers(rig: Rig, sources: ReturnType<typeof openEverything>): void {
  const listener = new Listener(rig, sources);
  for (const source of sources)
    expectSame(
      listener.labelsDuring(() => source.raise()),
      [source.label],
      `raising ${source.label} after all faults`,
    );
}
