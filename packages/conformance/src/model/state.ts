// SPDX-License-Identifier: Apache-2.0
// Saved state is data that can be kept, sent and put back anywhere.

import type { State } from '@irqkit/core';
import { expectErrno, expectSame } from '../expect/expect.js';
import { copyOf } from '../expect/same-data.js';
import { withRigs } from '../rig/rig.js';
import type { ModelCheck, ModelSubject } from './capabilities.js';
import { modelOf } from './model-under-test.js';
import { stir } from './random-software.js';
import { Xorshift } from './xorshift.js';

export const stateChecks = ({ plugins, setup, nrAccesses, seed }: ModelSubject): readonly ModelCheck[] => [
  {
    title: 'its saved state is structured-cloneable, and nothing changes it afterwards',
    run() {
      withRigs(1, plugins, setup, (rig) => {
        const random = new Xorshift(seed);
        stir(rig, random, nrAccesses);
        const state = modelOf(rig).save();
        const clone = copyOf(state);
        expectSame(structuredClone(state), clone, 'the state and its clone');
        stir(rig, random, nrAccesses);
        expectSame(state, clone, 'a state after more accesses to its model');
      });
    },
  },
  {
    title: 'restored once or twice, on its own board or a new one, it saves the same state',
    run() {
      withRigs(2, plugins, setup, (own, next) => {
        const random = new Xorshift(seed);
        stir(own, random, nrAccesses);
        const state = copyOf(modelOf(own).save());
        stir(own, random, nrAccesses);
        for (const [rig, where] of [
          [own, 'its own board'],
          [next, 'a new board'],
        ] as const)
          for (const times of ['once', 'twice']) {
            modelOf(rig).restore(copyOf(state));
            expectSame(modelOf(rig).save(), state, `the state restored ${times} on ${where}`);
          }
      });
    },
  },
  {
    title: 'a state of another version or shape is EINVAL and changes nothing',
    run() {
      withRigs(1, plugins, setup, (rig) => {
        const model = modelOf(rig);
        stir(rig, new Xorshift(seed), nrAccesses);
        const state = copyOf(model.save());
        const refuse = (other: State, what: string) => {
          expectErrno(() => model.restore(other), 'EINVAL', `restoring ${what}`);
          expectSame(model.save(), state, `the state after ${what} was refused`);
        };
        refuse({ ...state, version: state.version + 1 }, `a state of version ${state.version + 1}`);
        if (Object.keys(state).length > 1) refuse({ version: state.version }, 'a state that is empty');
      });
    },
  },
];
