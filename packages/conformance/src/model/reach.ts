// SPDX-License-Identifier: Apache-2.0
// Whatever is written, a model raises what is its own at the controller above, and nothing else.

import type { Requester } from '@irqkit/core';
import { expectSame, expectThat, thrownBy } from '../expect/expect.js';
import { withRigs } from '../rig/rig.js';
import type { Rig } from '../rig/rig.js';
import type { ModelCheck, ModelSubject } from './capabilities.js';
import { framesOf, perform } from './model-under-test.js';
import { stir } from './random-software.js';
import { RecordingParent } from './recording-parent.js';
import { Xorshift } from './xorshift.js';

export const reachChecks = ({ plugin, setup, nrAccesses, seed }: ModelSubject): readonly ModelCheck[] => [
  {
    title: 'raises no INTID but its own, whatever is written',
    needs: ['intids'],
    run() {
      const machine = setup();
      const { firmware, path, intids = [] } = machine;
      const own = new Set(intids.flatMap(({ first, count }) => Array.from({ length: count }, (_, i) => first + i)));
      expectThat(own.size > 0, () => `${path}: the machine must say which INTIDs the model may raise`);
      const parent = new RecordingParent(firmware.find(path) ?? firmware.root);
      const work = (rig: Rig) => {
        const raised = parent.during(() => {
          stir(rig, new Xorshift(seed), nrAccesses);
          writeMessages(rig, parent, own);
        });
        const foreign = [...raised].filter((intid) => !own.has(intid));
        expectSame(foreign, [], `INTIDs that are not its own, raised by random writes (seed ${seed})`);
        expectThat(raised.size > 0, () => `${path}: no write raised anything: are its INTIDs ${[...own].join(' ')}?`);
      };
      withRigs(1, [plugin, parent.plugin], () => machine, work);
    },
  },
];

// Messages carry an INTID or an index: both are among the numbers up to the last INTID and some beyond.
const NR_BEYOND = 64;

/** Every number to every word that raises something when it is written. */
function writeMessages(rig: Rig, parent: RecordingParent, own: ReadonlySet<number>): void {
  const top = Math.max(...own) + NR_BEYOND;
  const samples = [0, Math.min(...own), Math.max(...own)];
  for (const frame of framesOf(rig))
    for (let offset = 0; offset + 4 <= frame.sizeBytes; offset += 4) {
      const write = (value: number) => void thrownBy(() => perform({ frame, offset, size: 4, value }, DEVICE));
      if (parent.raisedBy(() => samples.forEach(write))) for (let value = 0; value <= top; value++) write(value);
    }
}

const DEVICE: Requester = { kind: 'device', cpu: -1, requesterId: 0, streamId: 0, deviceId: 0 };
