// SPDX-License-Identifier: Apache-2.0

import { withRigs } from '../rig/rig.js';
import type { ModelCheck, ModelSubject } from './capabilities.js';
import { accessAnywhere, accessEverywhere } from './random-software.js';
import { Xorshift } from './xorshift.js';

export const randomAccessChecks = ({ plugins, setup, nrAccesses, seed }: ModelSubject): readonly ModelCheck[] => [
  {
    title: `never throws: every size at every offset of frames to 128 KiB, and ${nrAccesses} random accesses (seed ${seed})`,
    run() {
      withRigs(1, plugins, setup, (rig) => {
        const random = new Xorshift(seed);
        accessEverywhere(rig, random);
        accessAnywhere(rig, random, nrAccesses);
      });
    },
  },
];
