// SPDX-License-Identifier: Apache-2.0
// All state is in the model of one board (DESIGN section 2, rule 5).

import { expectSame } from '../expect/expect.js';
import { copyOf } from '../expect/same-data.js';
import { withRigs } from '../rig/rig.js';
import type { ModelCheck, ModelSubject } from './capabilities.js';
import { modelOf } from './model-under-test.js';
import { stir } from './random-software.js';
import { Xorshift } from './xorshift.js';

export const sharingChecks = ({ plugins, setup, nrAccesses, seed }: ModelSubject): readonly ModelCheck[] => [
  {
    title: 'two boards share nothing',
    run() {
      withRigs(2, plugins, setup, (busy, idle) => {
        const before = copyOf(modelOf(idle).save());
        stir(busy, new Xorshift(seed), nrAccesses);
        expectSame(modelOf(idle).save(), before, 'the state of a model while another is at work');
        withRigs(1, plugins, setup, (next) =>
          expectSame(modelOf(next).save(), before, 'the state of a new model while another is at work'),
        );
      });
    },
  },
];
