// SPDX-License-Identifier: Apache-2.0
// One write or one edge is one interrupt, and no other.

import { LinuxError } from '@irqkit/core';
import { expectSame, expectThat, thrownBy } from '../expect/expect.js';
import { withRigs } from '../rig/rig.js';
import { Listener } from '../sources/listener.js';
import { openDevice } from '../sources/msi-vectors.js';
import type { Source } from '../sources/source.js';
import type { ChecksOfKind, IrqChipCheck, Subject } from './capabilities.js';

export const deliveryChecks: ChecksOfKind = (subject, kind) => [
  {
    title: 'raised once, each interrupt is delivered once, and no other is',
    run() {
      withRigs(1, subject.plugins, subject.setup, (rig) => {
        rig.probe();
        const sources = kind.open(rig);
        expectEach(new Listener(rig, sources), sources);
      });
    },
  },
];

/** PCI Express Base Specification, "Message Control Register for MSI": Multiple Message Enable. */
const BLOCK_SIZES = [2, 4, 8, 16, 32];

export const multiMsiChecks = (subject: Subject): readonly IrqChipCheck[] => [
  {
    title: 'msi: each vector of a block is delivered, however large a block there is room for',
    needs: ['msi', 'multi-msi'],
    run() {
      withRigs(1, subject.plugins, subject.setup, (rig) => {
        rig.probe();
        for (const nr of BLOCK_SIZES) {
          const device = openDevice(rig);
          let sources: readonly Source[] = [];
          const error = thrownBy(() => (sources = device.enableBlock(nr)));
          if (LinuxError.is(error, 'ENOSPC') && nr > BLOCK_SIZES[0]) return;
          expectThat(error === undefined, () => `enabling a block of ${nr}: ${error?.message}`);
          expectEach(new Listener(rig, sources), sources);
          rig.close();
        }
      });
    },
  },
];

function expectEach(listener: Listener, sources: readonly Source[]): void {
  for (const source of [...sources, ...sources])
    expectSame(
      listener.labelsDuring(() => source.raise()),
      [source.label],
      `raising ${source.label} of ${sources.length}`,
    );
}
