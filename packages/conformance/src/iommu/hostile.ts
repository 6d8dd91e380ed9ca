// SPDX-License-Identifier: Apache-2.0
// The model's `translate` under any software and any memory.

import { hex } from '@irqkit/bits';
import type { IommuModel } from '@irqkit/core';
import { expectSame, expectThat, thrownBy } from '../expect/expect.js';
import { copyOf } from '../expect/same-data.js';
import { modelOf } from '../model/model-under-test.js';
import { stir } from '../model/random-software.js';
import { Xorshift } from '../model/xorshift.js';
import type { Rig } from '../rig/rig.js';
import type { IommuCheck, IommuSubject } from './capabilities.js';
import { expectReaches } from './expect-reach.js';
import { RW } from './protections.js';
import { IommuStand, withIommu, withIommuRigs } from './rig/iommu-stand.js';

/** Between two changes of memory or registers. */
const NR_TRANSLATIONS = 32;
const ADDRESS_LIMIT = 2 ** 52;

export const hostileChecks = (subject: IommuSubject): readonly IommuCheck[] => [
  {
    title: `whatever its tables and registers hold, it never throws, and answers an address or a fault (seed ${subject.seed})`,
    run() {
      withIommu(subject, (stand) => {
        const { device, domain } = stand.open();
        const [bytes] = domain.pageSizes;
        domain.map(stand.iovaFor(device, domain, 4 * bytes, bytes), stand.pages(4, bytes).pa(0), 4 * bytes, RW);
        const random = new Xorshift(subject.seed);
        for (let i = 0; i < subject.nrOperations; i++) {
          scribble(stand.rig, random);
          if (i % NR_TRANSLATIONS === 0) stir(stand.rig, random, 1);
          for (let n = 0; n < NR_TRANSLATIONS; n++) translateAnything(stand.rig, random, device.iommuIds[0].id);
        }
      });
    },
  },
  {
    title: 'saved and restored, on its own board or a new one, it leads devices where it led them',
    run() {
      withIommuRigs(subject, 2, (own, next) => {
        own.probe();
        const stand = new IommuStand(own);
        const { device, domain } = stand.open();
        const [sizeBytes] = domain.pageSizes;
        const pages = stand.pages(2, sizeBytes);
        const iova = stand.iovaFor(device, domain, 2 * sizeBytes, sizeBytes);
        domain.map(iova, pages.pa(1), sizeBytes, RW);
        expectReaches(device, pages, iova, 1, 'before it is saved');
        const state = copyOf(own.board.save());
        domain.unmap(iova, sizeBytes);
        own.board.restore(state);
        expectReaches(device, pages, iova, 1, 'restored');
        next.board.restore(state);
        expectSame(modelOf(next).save(), modelOf(own).save(), 'the state of the model on a new board');
        const bytes = new Uint8Array(4);
        expectThat(
          device.portOn(next).load(iova, bytes),
          () => 'on a new board the device reading what was mapped faults',
        );
        expectSame(pages.pageOf(bytes), 1, 'the page that the device reads on a new board');
      });
    },
  },
];

/** Overwrites some bytes of what the driver has in memory, mostly with bits that entries have. */
function scribble(rig: Rig, random: Xorshift): void {
  const buffers = [...rig.bus.buffers];
  if (buffers.length === 0) return;
  const { words } = random.pick(buffers);
  const at = random.below(words.length);
  words[at] = random.below(2) === 0 ? random.value() : (words[at] ^ (1 << random.below(32))) >>> 0;
}

function translateAnything(rig: Rig, random: Xorshift, streamId: number): void {
  const model = modelOf(rig) as IommuModel;
  const sid = random.pick([streamId, random.below(64), random.value(), -1]);
  const by = { kind: 'device', cpu: -1, requesterId: sid, streamId: sid, deviceId: -1 } as const;
  const address = Math.floor((random.next() / 2 ** 32) * random.pick([2 ** 20, 2 ** 32, 2 ** 48, ADDRESS_LIMIT]));
  const write = random.below(2) === 1;
  let answer: unknown;
  const error = thrownBy(() => (answer = model.translate(by, address, write)));
  const what = `${write ? 'a write' : 'a read'} by stream ${sid} to ${hex(address)}`;
  expectThat(error === undefined, () => `${what} throws: ${String(error)}`);
  const isAnswer = Number.isInteger(answer) && (answer as number) < ADDRESS_LIMIT;
  expectThat(isAnswer, () => `${what} is answered by ${String(answer)}`);
}
