// SPDX-License-Identifier: Apache-2.0
// How LPIs are given to devices, against a reference that looks at every LPI.

import { seed, runs } from '@irqkit-test/env';
import fc from 'fast-check';
import { caught } from '@irqkit-test/caught';
import { Rig } from './rig.js';
import type { TestDevice } from './rig.js';

const NR_LPIS = 8192;

/** The lowest free run of a power of two of LPIs, wherever it starts. */
class Reference {
  readonly #taken = new Uint8Array(NR_LPIS);

  alloc(nr: number): number {
    const size = blockOf(nr);
    for (let first = 0; first + size <= NR_LPIS; first++)
      if (!this.#taken.subarray(first, first + size).includes(1)) {
        this.#taken.fill(1, first, first + size);
        return first + 8192;
      }
    return -1;
  }

  free(intid: number, nr: number): void {
    this.#taken.fill(0, intid - 8192, intid - 8192 + blockOf(nr));
  }
}

function blockOf(nr: number): number {
  return 2 ** Math.ceil(Math.log2(nr));
}

interface Taken {
  readonly device: TestDevice;
  readonly nr: number;
  readonly first: number;
  readonly giveBack: () => void;
}

test('blocks of a power of two, lowest first; ENOSPC where the reference has no room either', () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ take: fc.integer({ min: 1, max: 1100 }) }) },
    { weight: 2, arbitrary: fc.record({ give: fc.nat() }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const rig = new Rig({ idBits: 14 });
      const host = rig.start();
      const domain = host.irqs.requireDomain(rig.itsNodes[0], 'msi-parent');
      const reference = new Reference();
      const taken: Taken[] = [];
      let deviceId = 0x100;
      for (const each of steps) {
        if ('give' in each) {
          if (taken.length === 0) continue;
          const [one] = taken.splice(each.give % taken.length, 1);
          one.giveBack();
          reference.free(one.first, one.nr);
          continue;
        }
        const device = rig.device(host, deviceId++);
        const expected = reference.alloc(each.take);
        const prepare = (): (() => void) | undefined => domain.msiParent?.prepare?.(domain, device, each.take);
        if (expected < 0) {
          expect(caught(prepare).code).toBe('ENOSPC');
          continue;
        }
        const undo = prepare();
        const virq = host.irqs.allocIrqs(domain, 1, { device });
        expect(host.irqs.irqData(virq).hwirq).toBe(expected);
        const giveBack = (): void => {
          host.irqs.freeIrqs(virq, 1);
          undo?.();
        };
        taken.push({ device, nr: each.take, first: expected, giveBack });
      }
      for (const { giveBack } of taken) giveBack();
      const whole = rig.device(host, 1);
      domain.msiParent?.prepare?.(domain, whole, NR_LPIS);
      expect(host.irqs.irqData(host.irqs.allocIrqs(domain, 1, { device: whole })).hwirq).toBe(8192);
    }),
    { seed, numRuns: runs(60, 3000) },
  );
});
