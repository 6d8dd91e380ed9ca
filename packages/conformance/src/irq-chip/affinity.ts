// SPDX-License-Identifier: Apache-2.0

import { expectSame, expectThat } from '../expect/expect.js';
import { withRigs } from '../rig/rig.js';
import { Listener } from '../sources/listener.js';
import type { ChecksOfKind } from './capabilities.js';

export const affinityChecks: ChecksOfKind = (subject, kind) => [
  {
    title: 'moved to any processor, it is delivered there',
    needs: ['affinity'],
    run() {
      withRigs(1, subject.plugins, subject.setup, (rig) => {
        const { irqs } = rig.probe();
        const { count } = irqs.cpus;
        expectThat(count >= 2, () => `${rig.machine.path}: the machine has ${count} processor, moving takes two`);
        const sources = kind.open(rig);
        const listener = new Listener(rig, sources);
        for (const { virq, label, raise } of sources)
          for (let cpu = count - 1; cpu >= 0; cpu--) {
            irqs.setAffinity(virq, [cpu]);
            expectSame(irqs.irqData(virq).common.effectiveAffinity, [cpu], `where ${label} says it is delivered`);
            expectSame(listener.during(raise), [{ label, cpu }], `raising ${label}, moved to cpu ${cpu}`);
          }
      });
    },
  },
  {
    title: 'moved while it is masked and pending, it is delivered once, where it was moved to',
    needs: ['affinity', 'pending-while-masked'],
    run() {
      withRigs(1, subject.plugins, subject.setup, (rig) => {
        const { irqs } = rig.probe();
        const sources = kind.open(rig);
        const [{ virq, label, raise }] = sources;
        const listener = new Listener(rig, sources);
        irqs.setAffinity(virq, [0]);
        irqs.disable(virq);
        raise();
        irqs.setAffinity(virq, [1]);
        expectSame(
          listener.during(() => irqs.enable(virq)),
          [{ label, cpu: 1 }],
          `unmasking ${label}, moved from cpu 0 to cpu 1 while it was pending`,
        );
      });
    },
  },
];
