// SPDX-License-Identifier: Apache-2.0
// Asked for what it does not have, a controller says so and takes nothing.

import type { BusToken, Errno } from '@irqkit/core';
import { expectErrno, expectThat } from '../expect/expect.js';
import { withRigs } from '../rig/rig.js';
import type { IrqChipCheck, Subject } from './capabilities.js';

/** Beyond every number space: INTIDs, event ids and device ids end far below. */
const FOREIGN_HWIRQ = 0x7fff_ffff;

/** Linux's root of a GICv3 answers EPERM. @linux gic_irq_domain_map */
const WIRED_REFUSALS = ['EINVAL', 'EPERM'] as const;

export const foreignChecks = (subject: Subject): readonly IrqChipCheck[] => [
  foreignHwirq(subject, 'msi', 'msi-parent', ['EINVAL']),
  foreignHwirq(subject, 'wired', 'wired', WIRED_REFUSALS),
  {
    title: 'wired: a foreign specifier is EINVAL',
    needs: ['wired'],
    run() {
      withRigs(1, subject.plugins, subject.setup, (rig) => {
        const { irqs } = rig.probe();
        const specifiers = rig.machine.foreignInputs ?? [];
        expectThat(specifiers.length > 0, () => `${rig.machine.path}: the machine must name a foreign input`);
        const before = rig.taken;
        for (const args of specifiers) {
          const what = `mapping <${args.join(' ')}>`;
          expectErrno(() => irqs.createMapping({ controller: rig.node, args }), 'EINVAL', what);
          rig.expectTaken(before, `after ${what}`);
        }
      });
    },
  },
];

function foreignHwirq(
  subject: Subject,
  kind: 'msi' | 'wired',
  busToken: BusToken,
  codes: readonly Errno[],
): IrqChipCheck {
  return {
    title: `${kind}: a foreign hwirq is ${codes.join(' or ')}`,
    needs: [kind],
    run() {
      withRigs(1, subject.plugins, subject.setup, (rig) => {
        const { irqs } = rig.probe();
        const domain = irqs.requireDomain(rig.node, busToken);
        const before = rig.taken;
        const what = `asking the ${busToken} domain for hwirq ${FOREIGN_HWIRQ}`;
        expectErrno(() => irqs.allocIrqs(domain, 1, { hwirq: FOREIGN_HWIRQ }), codes, what);
        rig.expectTaken(before, `after ${what}`);
      });
    },
  };
}
