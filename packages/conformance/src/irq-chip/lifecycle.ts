// SPDX-License-Identifier: Apache-2.0
// What is taken is given back, and can be taken again.

import { expectSame, expectThat } from '../expect/expect.js';
import { withRigs } from '../rig/rig.js';
import { Listener } from '../sources/listener.js';
import { openEverything } from './open-everything.js';
import type { IrqChipCheck, Subject } from './capabilities.js';

export const lifecycleChecks = (subject: Subject): readonly IrqChipCheck[] => [
  {
    title: 'is frozen data',
    run() {
      const { plugin } = subject;
      const entries = [plugin.irqChips, plugin.models, plugin.descriptions].flatMap((list) => [...(list ?? [])]);
      expectThat(Object.isFrozen(plugin), () => `${plugin.name} is not what definePlugin returned`);
      for (const entry of entries)
        expectThat(Object.isFrozen(entry), () => `${plugin.name}: the entry for ${entry.compatible[0]} can be changed`);
    },
  },
  {
    title: 'is what drives the node under test',
    run() {
      withRigs(1, subject.plugins, subject.setup, (rig) => {
        const driver = rig.probe().drivers.find(({ node }) => node.path === rig.machine.path);
        expectSame(driver?.plugin, subject.plugin.name, `the driver of ${rig.machine.path}`);
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
