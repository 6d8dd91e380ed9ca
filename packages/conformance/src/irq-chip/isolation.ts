// SPDX-License-Identifier: Apache-2.0
// A controller that says it tells devices apart must do so (REQUIREMENTS R3, R6).

import { doorbellBases, IRQ_DOMAIN_FLAG, lookupDoorbell } from '@irqkit/core';
import { expectSame } from '../expect/expect.js';
import { withRigs } from '../rig/rig.js';
import { Listener } from '../sources/listener.js';
import { openDevice } from '../sources/msi-vectors.js';
import type { IrqChipCheck, Subject } from './capabilities.js';

export const isolationChecks = (subject: Subject): readonly IrqChipCheck[] => [
  {
    title: 'msi: its domain is isolated exactly where its doorbells remap',
    needs: ['msi'],
    run() {
      withRigs(1, subject.plugins, subject.setup, (rig) => {
        rig.probe();
        const { msiDomain } = openDevice(rig);
        const isolated = msiDomain.hasFlag(IRQ_DOMAIN_FLAG.ISOLATED_MSI);
        for (const info of msiDomain.doorbells)
          expectSame(
            info.irqRemapping,
            isolated,
            `irqRemapping of the doorbell 0x${doorbellBases(info)[0].toString(16)}`,
          );
      });
    },
  },
  {
    title: 'msi: where it claims isolation, a message written by another device does not arrive',
    needs: ['msi'],
    run() {
      withRigs(1, subject.plugins, subject.setup, (rig) => {
        const { irqs } = rig.probe();
        const victim = openDevice(rig, 0);
        const forger = openDevice(rig, 1);
        const sources = victim.enable(subject.nrVectors);
        const listener = new Listener(rig, sources);
        const isolated = victim.msiDomain.hasFlag(IRQ_DOMAIN_FLAG.ISOLATED_MSI);
        const claimed = sources.filter(({ virq }) => isolated || lookupDoorbell(irqs.irqData(virq))?.irqRemapping);
        if (claimed.length === 0) return;
        const forge = (when: string) => {
          for (const { virq, label } of claimed)
            expectSame(
              listener.labelsDuring(() => forger.write(victim.messageOf(virq))),
              [],
              `another device, ${when}, writing the message of ${label}`,
            );
        };
        forge('with no vector of its own');
        forger.enable(subject.nrVectors);
        forge('with vectors of its own');
      });
    },
  },
];
