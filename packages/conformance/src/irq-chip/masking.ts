// SPDX-License-Identifier: Apache-2.0

import { expectSame, expectThat } from '../expect/expect.js';
import { withRigs } from '../rig/rig.js';
import type { Rig } from '../rig/rig.js';
import { Listener } from '../sources/listener.js';
import type { Source, SourceKind } from '../sources/source.js';
import type { ChecksOfKind, Subject } from './capabilities.js';

export const maskingChecks: ChecksOfKind = (subject, kind) => [
  {
    title: 'masked, an interrupt does not reach the processors and the others do',
    needs: ['masking'],
    run() {
      withListener(subject, kind, (rig, sources, listener) => {
        const [masked, other] = sources;
        rig.host.irqs.disable(masked.virq);
        expectSame(
          listener.labelsDuring(() => masked.raise()),
          [],
          `raising ${masked.label} while it is masked`,
        );
        const { pending } = rig.host.irqs.irqDesc(masked.virq);
        expectThat(!pending, () => `${masked.label} was held back by software alone: its mask does nothing`);
        expectSame(
          listener.labelsDuring(() => other.raise()),
          [other.label],
          `raising ${other.label} while ${masked.label} is masked`,
        );
      });
    },
  },
  {
    title: 'what arrives while it is masked is delivered once when it is unmasked',
    needs: ['pending-while-masked'],
    run() {
      withListener(subject, kind, (rig, [masked], listener) => {
        rig.host.irqs.disable(masked.virq);
        masked.raise();
        masked.raise();
        expectSame(
          listener.labelsDuring(() => rig.host.irqs.enable(masked.virq)),
          [masked.label],
          `unmasking ${masked.label}, raised twice while it was masked`,
        );
        expectSame(
          listener.labelsDuring(() => masked.raise()),
          [masked.label],
          `raising ${masked.label} after it was unmasked`,
        );
      });
    },
  },
];

function withListener(
  subject: Subject,
  kind: SourceKind,
  work: (rig: Rig, sources: readonly Source[], listener: Listener) => void,
): void {
  withRigs(1, subject.plugins, subject.setup, (rig) => {
    rig.probe();
    const sources = kind.open(rig);
    work(rig, sources, new Listener(rig, sources));
  });
}
