// SPDX-License-Identifier: Apache-2.0
// Stands in for the controller above a model, to see which INTIDs it raises.

import { CORE_API, definePlugin } from '@irqkit/core';
import type { FirmwareNode, InterruptControllerModel, Plugin } from '@irqkit/core';
import { expectThat } from '../expect/expect.js';

export class RecordingParent {
  readonly plugin: Plugin;
  #raised = new Set<number>();
  #nrRaised = 0;

  constructor(child: FirmwareNode) {
    const compatible = child.interruptParent?.compatible[0];
    expectThat(compatible !== undefined, () => `${child.path}: it has no interrupt parent`);
    const model: InterruptControllerModel = {
      frames: [],
      save: () => ({ version: 1 }),
      restore: () => undefined,
      sink: {
        setPending: (intid) => {
          this.#raised.add(intid);
          this.#nrRaised++;
        },
      },
      line: () => undefined,
    };
    this.plugin = definePlugin({
      name: '@irqkit/conformance',
      coreApi: CORE_API,
      models: [{ compatible: [compatible], useFactory: () => model }],
    });
  }

  /** What `work` raises, each once. */
  during(work: () => void): ReadonlySet<number> {
    this.#raised = new Set();
    work();
    return this.#raised;
  }

  /** True where `work` raises anything. */
  raisedBy(work: () => void): boolean {
    const before = this.#nrRaised;
    work();
    return this.#nrRaised > before;
  }
}
