// SPDX-License-Identifier: Apache-2.0
// Accesses that nobody would write: the model survives them, and its summaries agree with a scan of everything.
import * as fc from 'fast-check';
import type { AccessSize } from '@irqkit/core';
import { runs, seed } from '@irqkit-test/env';
import { BenchGic } from './bench-gic.js';

const SPURIOUS = 1023;

interface Access {
  readonly frame: 'd' | 'c';
  readonly write: boolean;
  readonly offset: number;
  readonly size: AccessSize;
  readonly value: number;
  readonly cpu: number;
}

const anyAccess: fc.Arbitrary<Access> = fc.record({
  frame: fc.constantFrom('d', 'c'),
  write: fc.boolean(),
  offset: fc.oneof(
    fc.nat(0x1010),
    fc.nat(0x400).map((word) => word * 4),
  ),
  size: fc.constantFrom(1, 2, 4),
  value: fc.oneof(fc.constantFrom(0, 1, 0xffff_ffff), fc.nat(0xffff_ffff)),
  cpu: fc.integer({ min: -1, max: 3 }),
});

const pulse = fc.record({ pulse: fc.integer({ min: -1, max: 1030 }) });

const perform = (gic: BenchGic, access: Access | { pulse: number }): number => {
  if ('pulse' in access) {
    gic.model.sink.setPending(access.pulse);
    return 0;
  }
  const { frame, write, offset, value, cpu, size } = access;
  if (frame === 'd') return write ? (gic.setD(offset, value, cpu, size), 0) : gic.d(offset, cpu, size);
  return write ? (gic.setC(offset, value, cpu, size), 0) : gic.c(offset, cpu, size);
};

/** What GICC_HPPIR must show without groups, by looking at every interrupt through the registers. */
function highestPending(gic: BenchGic, cpu: number, nrIrqs: number): number {
  let best = SPURIOUS;
  let highest = gic.c(0x004, cpu);
  if ((gic.d(0x000) & 1) === 0 || (gic.c(0x000, cpu) & 1) === 0) return SPURIOUS;
  for (let intid = 0; intid < nrIrqs; intid++) {
    const bit = (bank: number): boolean => ((gic.d(bank + (intid >> 5) * 4, cpu) >>> (intid & 31)) & 1) === 1;
    const targets = gic.d(0x800 + intid, cpu, 1);
    const priority = gic.d(0x400 + intid, cpu, 1);
    if (!bit(0x200) || !bit(0x100) || bit(0x300) || ((targets >> cpu) & 1) === 0 || priority >= highest) continue;
    best = intid;
    highest = priority;
  }
  return best;
}

it('answers every access with 32 bits, and comes back from save and restore as it was', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof({ weight: 5, arbitrary: anyAccess }, pulse), { maxLength: 300 }), (accesses) => {
      const gic = new BenchGic(3, { nrIrqs: 96 }).open();
      for (const access of accesses) {
        const value = perform(gic, access);
        expect(Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff).toBe(true);
      }
      const other = new BenchGic(3, { nrIrqs: 96 });
      other.model.restore(structuredClone(gic.model.save()));
      expect(other.model.save()).toEqual(gic.model.save());
      expect(other.irq).toEqual(gic.irq);
    }),
    { seed, numRuns: runs(150, 5000) },
  );
});

it('forwards what a scan of all interrupts finds', () => {
  const group0 = anyAccess.filter(({ frame, offset }) => frame === 'd' && (offset < 0x080 || offset >= 0x100));
  fc.assert(
    fc.property(fc.array(fc.oneof({ weight: 4, arbitrary: group0 }, pulse), { maxLength: 200 }), (accesses) => {
      const gic = new BenchGic(3, { nrIrqs: 96 }).open();
      for (const access of accesses) perform(gic, access);
      for (let cpu = 0; cpu < 3; cpu++) {
        const best = highestPending(gic, cpu, 96);
        expect([gic.c(0x018, cpu) & 0x3ff, gic.irq[cpu]]).toEqual([best, best !== SPURIOUS]);
      }
    }),
    { seed, numRuns: runs(300, 20_000) },
  );
});
