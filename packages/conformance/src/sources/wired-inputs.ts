// SPDX-License-Identifier: Apache-2.0

import { expectThat } from '../expect/expect.js';
import type { SourceKind } from './source.js';

/** The machine's `inputs`, each driven by a wire that stays high until it is served. */
export const wiredInputs: SourceKind = {
  name: 'wired',
  open(rig) {
    const { machine, node, board, host } = rig;
    const inputs = machine.inputs ?? [];
    expectThat(inputs.length >= 2, () => `${machine.path}: the machine must name two inputs, it has ${inputs.length}`);
    return inputs.map((args) => {
      const virq = host.irqs.createMapping({ controller: node, args });
      rig.onClose(() => host.irqs.freeIrqs(virq, 1));
      const wire = board.wire(machine.path, args);
      return {
        label: `input <${args.join(' ')}>`,
        virq,
        raise: () => wire.set(true),
        settle: () => wire.set(false),
      };
    });
  },
  identify: (rig, { virq }) => rig.host.irqs.irqData(virq).hwirq,
};
