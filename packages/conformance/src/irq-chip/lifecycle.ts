// SPDX-License-Identifier: Apache-2.0
// What is taken is given back, and can be taken again.

import { expectSame } from '../expect/expect.js';
import { expectDrives, expectFrozen } from '../rig/expect-plugin.js';
import { withRigs } from '../rig/rig.js';
import { Listener } from '../sources/listener.js';
import { openEverything } from './open-everything.js';
import type { IrqChipCheck, Subject } from './capabilities.js';

export const lifecycleChecks = (subject: Subject): readonly IrqChipCheck[] => [
  {
    title: 'is frozen data',
    run() {
      expectFrozen(subject.plugin);
    },
  },
  {
    title: 'is what drives the node under test',
    run() {
      withRigs(1, subject.plugins, subject.setup, (rig) => {
        rig.probe();
        expectDrives(rig, subject.plugin);
      });
    },
  },
  {
    title: 'teardown leaves nothing behind, and it probes again',
    run() {
      withRigs(1, subject.plugins, subject.setup, (rig) => {
        for (const when of ['after the first teardown', 'after the second teardown']) {
          const before = rig.taken;
          rig.probe();
          const sources = openEverything(subject, rig);
          const listener = new Listener(rig, sources);
          expectSame(
            listener.labelsDuring(() => sources.forEach((source) => source.raise())),
            sources.map(({ label }) => label),
            `deliveries before ${when}`,
          );
          rig.teardown();
          rig.expectTaken(before, when);
        }
      });
    },
  },
];
