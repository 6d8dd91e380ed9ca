// SPDX-License-Identifier: Apache-2.0
// Redistributors whose pending bits the ITS may test: an LPI that is pending is not set again, and no bit misleads it.
import type { LpiPendingBits } from '@irqkit/core';
import { ItsRig, ToyRam, ToyRedistributors, command, itt } from './its-rig.js';

class WithBits extends ToyRedistributors {
  pendingBits: LpiPendingBits = { words: new Uint32Array(4 * 2 ** 9), shift: 9 };

  override setPending(target: number, intid: number): void {
    super.setPending(target, intid);
    const { words, shift } = this.pendingBits;
    if (intid < 32 * 2 ** shift) words[target * 2 ** shift + Math.floor(intid / 32)] |= 1 << (intid % 32);
  }

  override clearPending(target: number, intid: number): void {
    super.clearPending(target, intid);
    this.pendingBits.words[target * 2 ** this.pendingBits.shift + Math.floor(intid / 32)] &= ~(1 << (intid % 32));
  }

  /** All bits move to a wider array. */
  widen(): void {
    const former = this.pendingBits.words;
    this.pendingBits = { words: new Uint32Array(4 * 2 ** 11), shift: 11 };
    former.fill(0);
    this.pending.forEach((intids, target) => {
      for (const intid of intids)
        this.pendingBits.words[target * 2 ** 11 + Math.floor(intid / 32)] |= 1 << (intid % 32);
    });
  }
}

function rigWithBits(lpis: readonly number[]): { rig: ItsRig; redistributors: WithBits } {
  const ram = new ToyRam();
  const redistributors = new WithBits(ram);
  const rig = new ItsRig({ ram, redistributors }).enable();
  rig.send(command('MAPC', { ICID: 0, RDbase: 2, V: 1 }), command('MAPC', { ICID: 1, RDbase: 3, V: 1 }));
  rig.send(command('MAPD', { DeviceID: 5, Size: 4, ITT_addr: itt(0), V: 1 }));
  lpis.forEach((pINTID, EventID) => rig.send(command('MAPTI', { DeviceID: 5, EventID, pINTID, ICID: 0 })));
  rig.calls();
  return { rig, redistributors };
}

test('an LPI that is pending is not set again until it has been taken', () => {
  const { rig, redistributors } = rigWithBits([8192, 8193]);
  expect(rig.msi(5, 0)).toEqual(['set 2 8192']);
  expect(rig.msi(5, 0)).toEqual([]);
  expect(rig.msi(5, 1)).toEqual(['set 2 8193']);
  redistributors.clearPending(2, 8192);
  expect(rig.msi(5, 1)).toEqual([]);
  expect(rig.msi(5, 0)).toEqual(['set 2 8192']);
});

test('bits that move leave nothing behind that says pending, and are followed', () => {
  const { rig, redistributors } = rigWithBits([8192, 8193]);
  rig.msi(5, 0);
  rig.msi(5, 1);
  redistributors.widen();
  expect(redistributors.pending[2]).toEqual(new Set([8192, 8193]));
  redistributors.clearPending(2, 8193);
  expect(rig.msi(5, 1)).toEqual(['set 2 8193']);
  rig.send(command('SYNC', { RDbase: 2 }), command('MAPTI', { DeviceID: 5, EventID: 2, pINTID: 8194, ICID: 0 }));
  rig.msi(5, 0);
  rig.msi(5, 1);
  expect(rig.msi(5, 0)).toEqual([]);
  expect(rig.msi(5, 1)).toEqual([]);
  redistributors.clearPending(2, 8192);
  expect(rig.msi(5, 0)).toEqual(['set 2 8192']);
});

test("an LPI that is wider than the bits is not looked for among the next redistributor's", () => {
  const wide = 2 ** 14 + 8192;
  const { rig, redistributors } = rigWithBits([wide]);
  redistributors.setPending(3, 8192);
  for (let i = 0; i < 3; i++) expect(rig.msi(5, 0)).toEqual([`set 2 ${wide}`]);
});

test('an event that moves to another redistributor is pending there alone', () => {
  const { rig, redistributors } = rigWithBits([8192]);
  rig.msi(5, 0);
  redistributors.clearPending(2, 8192);
  rig.msi(5, 0);
  rig.send(command('MOVI', { DeviceID: 5, EventID: 0, ICID: 1 }));
  redistributors.pendingBits.words.fill(0);
  expect(rig.msi(5, 0)).toEqual(['set 3 8192']);
  expect(rig.msi(5, 0)).toEqual([]);
});

test('the first event of the first device is unknown until tables name it, as one beyond all are', () => {
  const { rig } = rigWithBits([]);
  expect([rig.msi(0, 0), rig.msi(-1, 0), rig.msi(2 ** 31, 0), rig.msi(5, 2 ** 31)]).toEqual([[], [], [], []]);
  rig.send(command('MAPD', { DeviceID: 0, Size: 0, ITT_addr: itt(1), V: 1 }));
  rig.send(command('MAPTI', { DeviceID: 0, EventID: 0, pINTID: 8192, ICID: 0 }));
  rig.send(command('MAPTI', { DeviceID: 0, EventID: 1, pINTID: 8193, ICID: 1 }));
  rig.calls();
  expect([rig.msi(0, 0), rig.msi(0, 1), rig.msi(0, 0), rig.msi(0, 2), rig.msi(1, 0)]).toEqual([
    ['set 2 8192'],
    ['set 3 8193'],
    [],
    [],
    [],
  ]);
});

test('GITS_TRANSLATER is a doorbell that does what a write does, and knows what is pending', () => {
  const { rig, redistributors } = rigWithBits([8192]);
  const doorbell = rig.frame.doorbellAt?.(0x1_0040);
  expect([0, 0x40, 0x1_0000, 0x1_0044].map((offset) => rig.frame.doorbellAt?.(offset))).toEqual(
    [0, 1, 2, 3].map(() => undefined),
  );
  expect(doorbell?.isPending(5, 0)).toBe(false);
  doorbell?.signal(5, 0);
  expect(rig.calls()).toEqual(['set 2 8192']);
  expect([doorbell?.isPending(5, 0), doorbell?.isPending(5, 1), doorbell?.isPending(6, 0)]).toEqual([
    true,
    false,
    false,
  ]);
  redistributors.clearPending(2, 8192);
  expect(doorbell?.isPending(5, 0)).toBe(false);
  doorbell?.signal(5, 0);
  rig.write(0, 0);
  expect(doorbell?.isPending(5, 0)).toBe(false);
});
