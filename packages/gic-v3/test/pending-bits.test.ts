// SPDX-License-Identifier: Apache-2.0
// The shape in which ITSs test whether an LPI is pending: bit INTID % 32 of word target << shift | INTID >> 5.
import { runs, seed } from '@irqkit-test/env';
import fc from 'fast-check';
import type { Machine } from './support/machine.js';
import {
  LPI_ENABLED,
  PROPBASE,
  acknowledge,
  configureLpi,
  end,
  pendingTable,
  upAndRunning,
} from './support/linux-setup.js';

/** Enables the LPIs of a processor with that many bits of INTID. */
function enable(machine: Machine, cpu: number, idBits: number): void {
  machine.write64(machine.rd(cpu) + 0x70, PROPBASE + 0x780 + idBits - 1, 0);
  machine.write64(machine.rd(cpu) + 0x78, pendingTable(cpu) + 0x780, 0);
  machine.write(machine.rd(cpu), 1);
}

function bit(machine: Machine, target: number, intid: number): number {
  const { words, shift } = machine.model.lpis.pendingBits;
  return (words[target * 2 ** shift + Math.floor(intid / 32)] >>> (intid % 32)) & 1;
}

/** All that are set, as they would be found by their place. */
function allSet(machine: Machine): [number, number][] {
  const { words, shift } = machine.model.lpis.pendingBits;
  const found: [number, number][] = [];
  words.forEach((word, at) => {
    const target = Math.floor(at / 2 ** shift);
    for (let i = 0; i < 32; i++) if ((word >>> i) & 1) found.push([target, (at % 2 ** shift) * 32 + i]);
  });
  return found;
}

test('there are none before LPIs are enabled, and then those of every redistributor', () => {
  const machine = upAndRunning();
  expect(machine.model.lpis.pendingBits.words).toHaveLength(0);
  enable(machine, 1, 14);
  const { words, shift } = machine.model.lpis.pendingBits;
  expect([words.length, shift]).toEqual([2 * 512, 9]);
  machine.model.lpis.setPending(1, 16383);
  machine.model.lpis.setPending(0, 8192);
  expect(words[1023]).toBe(0x8000_0000);
  expect(allSet(machine)).toEqual([[1, 16383]]);
});

test('a redistributor with wider INTIDs moves them while LPIs are pending; the former array is all zero', () => {
  const machine = upAndRunning();
  const { lpis } = machine.model;
  for (const intid of [8192, 9001, 16383, 65535]) configureLpi(machine, intid, LPI_ENABLED);
  enable(machine, 0, 14);
  for (const intid of [16383, 9001, 10000]) lpis.setPending(0, intid);
  const former = lpis.pendingBits.words;
  enable(machine, 1, 16);
  expect([lpis.pendingBits.words.length, lpis.pendingBits.shift]).toEqual([2 * 2048, 11]);
  expect(former.every((word) => word === 0)).toBe(true);
  expect(allSet(machine)).toEqual([9001, 10000, 16383].map((intid) => [0, intid]));
  lpis.setPending(1, 65535);
  lpis.setPending(0, 65535);
  lpis.setPending(0, 8192);
  const taken = [acknowledge(machine, 0)];
  end(machine, 0, taken[0]);
  taken.push(acknowledge(machine, 0));
  expect(taken).toEqual([8192, 9001]);
  expect(acknowledge(machine, 1)).toBe(65535);
  expect(allSet(machine)).toEqual([10000, 16383].map((intid) => [0, intid]));
  expect(former.every((word) => word === 0)).toBe(true);
});

test('what moved is saved, restored and written to its own pending table', () => {
  const machine = upAndRunning();
  enable(machine, 1, 14);
  machine.model.lpis.setPending(1, 8200);
  enable(machine, 0, 16);
  machine.model.lpis.setPending(0, 40000);
  const { pending } = machine.model.lpis.save();
  expect(pending.map(({ length, buffer }) => [length, buffer.byteLength])).toEqual([
    [2048, 8192],
    [512, 2048],
  ]);
  expect([pending[0][1250], pending[1][256]]).toEqual([1, 0x100]);
  const state = machine.model.save();
  const other = upAndRunning();
  enable(other, 0, 15);
  other.model.lpis.setPending(0, 9000);
  const former = other.model.lpis.pendingBits.words;
  other.model.restore(state);
  expect(former.every((word) => word === 0)).toBe(true);
  expect(allSet(other)).toEqual([
    [0, 40000],
    [1, 8200],
  ]);
  for (const each of [machine, other]) {
    each.write(each.rd(1), 0);
    expect(each.memory.byte(pendingTable(1) + 8200 / 8)).toBe(1);
    expect(allSet(each)).toEqual([[0, 40000]]);
    each.write(each.rd(0), 0);
    expect(each.memory.byte(pendingTable(0) + 40000 / 8)).toBe(1);
    expect(allSet(each)).toEqual([]);
  }
});

test("an INTID that is too wide sets no bit of the next redistributor's", () => {
  const machine = upAndRunning();
  enable(machine, 0, 14);
  enable(machine, 1, 14);
  machine.model.lpis.setPending(0, 2 ** 14 + 8192);
  expect(allSet(machine)).toEqual([]);
});

test('a bit is set where the LPI is pending, whatever is enabled, moved and taken', () => {
  const cpu = fc.integer({ min: 0, max: 1 });
  const intid = fc.constantFrom(8191, 8192, 8193, 8223, 8224, 16383, 16384, 32767, 65535);
  const step = fc.oneof(
    fc.record({ op: fc.constant('set' as const), cpu, intid }),
    fc.record({ op: fc.constant('clear' as const), cpu, intid }),
    fc.record({ op: fc.constant('move' as const), cpu, intid }),
    fc.record({ op: fc.constant('moveAll' as const), cpu }),
    fc.record({ op: fc.constant('take' as const), cpu }),
    fc.record({ op: fc.constant('enable' as const), cpu, idBits: fc.integer({ min: 13, max: 16 }) }),
    fc.record({ op: fc.constant('disable' as const), cpu }),
    fc.record({ op: fc.constant('restore' as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const machine = upAndRunning();
      const { lpis } = machine.model;
      for (const even of [8192, 8224, 16384]) configureLpi(machine, even, LPI_ENABLED);
      for (const each of steps) {
        if (each.op === 'set') lpis.setPending(each.cpu, each.intid);
        else if (each.op === 'clear') lpis.clearPending(each.cpu, each.intid);
        else if (each.op === 'move') lpis.movePending(each.cpu, 1 - each.cpu, each.intid);
        else if (each.op === 'moveAll') lpis.moveAllPending(each.cpu, 1 - each.cpu);
        else if (each.op === 'take') end(machine, each.cpu, acknowledge(machine, each.cpu));
        else if (each.op === 'enable') enable(machine, each.cpu, each.idBits);
        else if (each.op === 'disable') machine.write(machine.rd(each.cpu), 0);
        else machine.model.restore(machine.model.save());
        const pending = lpis.redistributors.flatMap((one, target) => {
          const list: [number, number][] = [];
          one.forEachPending((each) => list.push([target, each]));
          return list;
        });
        expect(allSet(machine)).toEqual(pending);
        expect(lpis.redistributors.map(({ nrPending }) => nrPending)).toEqual(
          [0, 1].map((target) => pending.filter(([one]) => one === target).length),
        );
        for (const [target, intid] of pending) {
          lpis.setPending(target, intid);
          expect(bit(machine, target, intid)).toBe(1);
        }
      }
    }),
    { seed, numRuns: runs(20, 5000) },
  );
});
