// SPDX-License-Identifier: Apache-2.0

import type { IrqHandler } from '@irqkit/core';
import { expectThat } from '../expect/expect.js';
import type { Rig } from '../rig/rig.js';
import type { Source } from './source.js';

export interface Delivery {
  readonly label: string;
  readonly cpu: number;
}

// Nothing a check does raises as many: an interrupt that comes back for ever would hang the runner.
const MOST_DELIVERIES = 1000;

/** Handles every source of a rig and writes down what is delivered. */
export class Listener {
  #deliveries: Delivery[] = [];

  constructor(rig: Rig, sources: readonly Source[]) {
    const { irqs } = rig.host;
    for (const source of sources) {
      const handler: IrqHandler = (_virq, cpu) => {
        this.#deliveries.push({ label: source.label, cpu });
        expectThat(this.#deliveries.length < MOST_DELIVERIES, () => `${source.label} is delivered again and again`);
        source.settle();
        return true;
      };
      irqs.requestIrq(source.virq, handler, 'conformance');
      rig.onClose(() => irqs.freeIrq(source.virq, handler));
    }
  }

  /** What `work` makes the host deliver. */
  during(work: () => void): readonly Delivery[] {
    this.#deliveries = [];
    work();
    return this.#deliveries;
  }

  /** The labels of what `work` makes the host deliver. */
  labelsDuring(work: () => void): readonly string[] {
    return this.during(work).map(({ label }) => label);
  }
}
