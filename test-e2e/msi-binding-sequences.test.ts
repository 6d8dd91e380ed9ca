// SPDX-License-Identifier: Apache-2.0
// R7-R11 as a property of the whole stack: after any sequence of enabling, disabling, moving, attaching and detaching there is no
// user without a binding, counts are exact, and every enabled vector arrives.

import { runs, seed } from '@irqkit-test/env';
import fc from 'fast-check';
import { BindingWorld, FUNCTIONS, NR_VECTORS } from './support/binding-world.js';
import type { Step } from './support/binding-world.js';

const which = fc.nat({ max: FUNCTIONS.length - 1 });
const group = fc.nat({ max: 3 });
const kind = <K extends Step['kind']>(name: K): fc.Arbitrary<K> => fc.constant(name);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: kind('enable'), which, nr: fc.integer({ min: 1, max: NR_VECTORS }) }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('disable'), which }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: kind('move'),
      which,
      vector: fc.nat({ max: NR_VECTORS - 1 }),
      cpu: fc.nat({ max: 3 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: kind('attach'), group, policy: fc.constantFrom('user window', 'SW_MSI') }),
  },
  { weight: 1, arbitrary: fc.record({ kind: kind('detach'), group }) },
);

test('R7-R11: bindings are exact after any sequence, and every vector arrives', () => {
  let world: BindingWorld | undefined;
  const run = (steps: readonly Step[]): void => {
    // A board serves until a sequence fails on it.
    const own = world ?? new BindingWorld();
    world = undefined;
    own.begin();
    for (const each of steps) {
      own.step(each);
      own.check();
    }
    own.end();
    world = own;
  };
  const sequences = fc.array(step, { minLength: 1, maxLength: 16, size: 'max' });
  fc.assert(fc.property(sequences, run), { seed, numRuns: runs(60, 10_000) });
  world!.dispose();
}, 600_000);
