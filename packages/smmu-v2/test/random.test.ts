// SPDX-License-Identifier: Apache-2.0
// Whatever software writes, to registers or tables, the model neither throws nor lets a device reach what no table maps; and what it
// remembers is never seen by software that invalidates what it changes.

import { runs, seed } from '@irqkit-test/env';
import { MMU401_SILICON, regs, SMMU_V2_SILICON } from '@irqkit/smmu-v2';
import fc from 'fast-check';
import { ENABLED, HUPCF, map, RO_PAGE, RW_PAGE, S2_PAGE, stage1, stage2, TABLES1, TABLES2, VALID } from './banks.js';
import { CPU, SmmuRig } from './smmu-rig.js';

/** With stage 1, both and extended ids; 16-bit VMIDs; a small TLB. */
const EVERYTHING = { ...SMMU_V2_SILICON, IDR0: 0x7c00_5f08, log2Iotlb: 4 };
const SHAPES = [EVERYTHING, { ...MMU401_SILICON, log2Iotlb: 4 }, { ...EVERYTHING, IDR0: 0x7400_4c08 }];

const word = fc.oneof(
  fc.nat(0xffff_ffff),
  fc.constantFrom(0, 1, ENABLED, ENABLED + HUPCF, 0x8000_0010, 0x0001_0000, 0x0003_0200, 0x0080_0010, 0x436, 0x80_0434),
  fc.nat(0x20).map((low) => 0x4100_0000 + low * 0x1000),
);
/** Registers of the two global spaces and of four banks, also between registers. */
const offset = fc.oneof(
  fc.nat(0x20).map((i) => i * 4),
  fc.nat(8).map((i) => 0x800 + i * 4),
  fc.nat(8).map((i) => 0xc00 + i * 4),
  fc.tuple(fc.constantFrom(0, 0x400, 0x800), fc.nat(4)).map(([array, i]) => 0x1000 + array + i * 4),
  fc.tuple(fc.nat(3), fc.nat(0x20)).map(([bank, i]) => 0x1_0000 + bank * 0x1000 + i * 4),
  fc.tuple(fc.nat(3), fc.nat(0x100)).map(([bank, i]) => 0x1_0000 + bank * 0x1000 + 0x600 + i * 4),
  fc.nat(0x2_0000),
);
const descriptor = fc
  .tuple(
    fc.nat(0x40),
    fc.bigInt({ min: 0n, max: 0xffffn }),
    fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
    fc.boolean(),
  )
  .map(([page, attributes, wild, tame]) =>
    tame ? 0x4100_0000n + BigInt(page) * 0x1000n + (attributes & 0xfffn) : wild,
  );

const step = fc.oneof(
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('write' as const), at: offset, value: word }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('write64' as const), at: offset, lo: word, hi: word }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('read' as const), at: offset }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('memory' as const), at: fc.nat(0x800), value: descriptor }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('access' as const),
      sid: fc.oneof(fc.nat(9), fc.integer({ min: -1, max: 0x1_0001 })),
      hi: fc.oneof(fc.constant(0), fc.integer()),
      lo: fc.oneof(fc.nat(0x8000), fc.integer()),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('save' as const) }) },
);

describe('random software', () => {
  test('never makes the model throw, and saving and restoring goes on exactly', () => {
    const STEPS = 200;
    fc.assert(
      fc.property(
        fc.constantFrom(...SHAPES),
        fc.array(step, { minLength: STEPS, maxLength: STEPS }),
        (silicon, steps) => {
          const rig = new SmmuRig({ silicon });
          const [frame] = rig.model.frames;
          rig.start();
          for (const one of steps) {
            switch (one.kind) {
              case 'write':
                frame.write(one.at, one.value, 4, CPU);
                break;
              case 'write64':
                frame.write64?.(one.at, one.lo, one.hi, CPU);
                break;
              case 'read': {
                const value = frame.read(one.at, 4, CPU);
                if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff) throw new Error(`read ${value}`);
                break;
              }
              case 'memory':
                rig.ram.write64(0x4100_0000 + one.at * 8, one.value);
                break;
              case 'access': {
                const pa = rig.model.translateWords(one.sid, one.hi, one.lo, one.lo % 2 === 0);
                if (!Number.isInteger(pa) || pa >= 2 ** 48) throw new Error(`translated to ${pa}`);
                break;
              }
              case 'save': {
                const other = new SmmuRig({ silicon, ram: rig.ram });
                other.model.restore(structuredClone(rig.model.save()));
                expect(other.model.save()).toEqual(rig.model.save());
                expect(other.levels).toEqual(rig.levels);
                rig.model.restore(other.model.save());
              }
            }
          }
        },
      ),
      { seed, numRuns: runs(40, 5000) },
    );
  });

  test('nothing is reached without a stream that matches', () => {
    const group = fc.record({ id: fc.nat(0x1f), mask: fc.nat(0x1f), valid: fc.boolean(), type: fc.nat(2) });
    fc.assert(
      fc.property(fc.array(group, { maxLength: 8 }), fc.nat(0x3f), (groups, sid) => {
        const rig = new SmmuRig({ silicon: SMMU_V2_SILICON });
        groups.forEach(({ id, mask, valid, type }, i) =>
          rig.mapStream(i, (valid ? VALID : 0) + mask * 0x1_0000 + id, type * 0x1_0000 + 1),
        );
        stage1(rig, 1, { sctlr: ENABLED + HUPCF });
        map(rig, TABLES1, 0x5000n, 0x4800_0000);
        rig.start();
        const matching = groups.filter(({ id, mask, valid }) => valid && (id | mask) === (sid | mask));
        const expected = matching.length === 1 ? [0x4800_0004, 0x5004, -1][matching[0].type] : -1;
        expect(rig.translate(sid, 0x5004n)).toBe(expected);
        const fault = matching.length === 0 ? 0x2 : matching.length > 1 ? 0x4 : expected === -1 ? 0x1 : 0;
        expect(rig.read(regs.GFSR)).toBe(fault);
      }),
      { seed, numRuns: runs(200, 20_000) },
    );
  });

  test('nothing is reached but what a table maps', () => {
    const dword = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(1023), dword), { maxLength: 60 }),
        fc.bigInt({ min: 0n, max: (1n << 48n) - 1n }),
        fc.boolean(),
        (entries, va, second) => {
          const rig = new SmmuRig();
          rig.mapStream(0, VALID + 1, 1);
          if (second) stage2(rig, 1, { ttb: TABLES1 });
          else stage1(rig, 1);
          rig.start();
          for (const [index, value] of entries) rig.ram.write64(TABLES1 + index * 8, value);
          const pa = rig.translate(1, va, true);
          const reached = entries.some(
            ([, value]) => BigInt(Math.max(pa, 0)) >> 30n === (value & 0xffff_c000_0000n) >> 30n,
          );
          expect(pa < 0 || reached).toBe(true);
        },
      ),
      { seed, numRuns: runs(200, 20_000) },
    );
  });
});

describe('remembered translations', () => {
  const change = fc.record({
    sid: fc.nat(3),
    page: fc.nat(15),
    target: fc.nat(63),
    drop: fc.boolean(),
    how: fc.nat(4),
  });

  test('differ in nothing from the tables for software that invalidates what it changes', () => {
    fc.assert(
      fc.property(fc.array(change, { minLength: 40, maxLength: 40 }), (changes) => {
        const rig = new SmmuRig({ silicon: EVERYTHING });
        const root = (sid: number): number => (sid === 3 ? TABLES2 : TABLES1 + sid * 0x40_0000);
        for (let sid = 0; sid < 4; sid++) {
          rig.mapStream(sid, VALID + sid, sid);
          const options = { ttb: root(sid), asid: sid + 1, vmid: sid === 3 ? 5 : 0, sctlr: ENABLED + HUPCF };
          if (sid === 3) stage2(rig, sid, options);
          else stage1(rig, sid, options);
        }
        rig.start();
        const oracle = new Map<string, readonly [pa: number, writable: boolean]>();
        for (const { sid, page, target, drop, how } of changes) {
          const va = BigInt(page) * 0x1_0000n;
          const pa = 0x4800_0000 + target * 0x1000;
          const writable = sid === 3 || target % 3 > 0;
          const attributes = sid === 3 ? S2_PAGE : writable ? RW_PAGE : RO_PAGE;
          map(rig, root(sid), va, pa, { attributes, first: sid === 3 ? 1 : 0 });
          oracle.set(`${sid}.${page}`, [pa, writable]);
          const operand = (BigInt(sid + 1) << 48n) | (va >> 12n);
          const operations = [
            () => rig.writeBank64(sid, sid === 3 ? regs.TLBIIPAS2 : regs.TLBIVA, sid === 3 ? va >> 12n : operand),
            () => rig.writeBank64(sid, sid === 3 ? regs.TLBIIPAS2L : regs.TLBIVAAL, va >> 12n),
            () => rig.writeBank(sid, sid === 3 ? regs.TLBIALL : regs.TLBIASID, sid + 1),
            () => rig.write(regs.TLBIVMID, sid === 3 ? 5 : 0),
            () => rig.write(regs.TLBIALLNSNH, 0),
          ] as const;
          operations[how]();
          rig.writeBank(sid, regs.TLBSYNC, 0);
          if (drop) rig.model.dropCaches();
          for (const [key, [expected, mayWrite]] of oracle) {
            const [s, p] = key.split('.').map(Number);
            const at = BigInt(p) * 0x1_0000n + 4n;
            expect(rig.translate(s, at)).toBe(expected + 4);
            expect(rig.translate(s, at, true) >= 0).toBe(mayWrite);
          }
        }
      }),
      { seed, numRuns: runs(8, 400) },
    );
  });
});
