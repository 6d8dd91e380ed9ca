// SPDX-License-Identifier: Apache-2.0
// Whatever software writes, to registers, tables or queues, the model neither throws nor lets a device reach what no table maps;
// and what it remembers shows to nobody who invalidates.

import fc from 'fast-check';
import { regs } from '@irqkit/smmu-v3';
import { runs, seed } from '@irqkit-test/env';
import { CMDQ, CPU, SmmuRig } from './smmu-rig.js';
import { cd, CDTAB, map, put, ste, STRTAB, TABLES1 } from './stream-tables.js';

const EVERYTHING = { IDR0: 0x0d4e_721b, IDR1: 0x0673_0310, IDR3: 0x1414 };
const OFFSETS = Object.values(regs).flatMap((register) =>
  typeof register === 'object' && 'offset' in register ? [register.offset] : [],
);
const word = fc.integer({ min: 0, max: 0xffff_ffff });
const dword = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
/** Where tables and queues of these tests stand. */
const place = fc.oneof(
  fc.integer({ min: 0, max: 511 }).map((i) => STRTAB + i * 8),
  fc.integer({ min: 0, max: 511 }).map((i) => CDTAB + i * 8),
  fc.integer({ min: 0, max: 1023 }).map((i) => TABLES1 + i * 8),
  fc.integer({ min: 0, max: 127 }).map((i) => CMDQ + i * 8),
);
/** Words that look like what belongs there, often enough to get far. */
const content = fc.oneof(
  dword,
  fc.integer({ min: 0, max: 7 }).map((config) => ste({ config })[0]),
  fc.integer({ min: 0, max: 46 }).map((bit) => cd({ flags: 1n << BigInt(bit) })[0]),
  fc.integer({ min: 0, max: 7 }).map((page) => BigInt(TABLES1 + page * 0x1000) | 3n),
  fc.constantFrom(0x04n, 0x46n, 0x1046n, 0x30n, 0x12n, 0x2an, 0x05n, 0x03n),
);
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('write' as const), at: fc.constantFrom(...OFFSETS), value: word }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('write' as const), at: fc.nat(0x1_ffff), value: word }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('enable' as const), at: fc.nat(127), value: word }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('memory' as const), at: place, value: content }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('access' as const),
      sid: fc.nat(9),
      ssid: fc.integer({ min: -1, max: 5 }),
      hi: fc.integer(),
      lo: fc.integer(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('save' as const) }) },
);

describe('random software', () => {
  test('never makes the model throw, and saving and restoring goes on exactly', () => {
    const STEPS = 200;
    fc.assert(
      fc.property(fc.array(step, { minLength: STEPS, maxLength: STEPS }), (steps) => {
        const rig = new SmmuRig({ silicon: EVERYTHING });
        rig.start({ strtab: BigInt(STRTAB), cfg: 3 });
        for (const one of steps) {
          switch (one.kind) {
            case 'write':
              rig.model.frames[0].write(one.at, one.value, 4, CPU);
              break;
            case 'enable':
              rig.write(regs.CMDQ_PROD, one.at);
              rig.write(regs.GERRORN, rig.read(regs.GERROR));
              if (one.at === 0) rig.start({ strtab: BigInt(STRTAB), cfg: one.value & 0x303ff });
              break;
            case 'memory':
              rig.ram.write64(one.at, one.value);
              break;
            case 'access': {
              const pa = rig.model.translateWords(one.sid, one.ssid, one.hi, one.lo, one.lo % 2 === 0);
              if (!Number.isInteger(pa) || pa >= 2 ** 44) throw new Error(`translated to ${pa}`);
              break;
            }
            case 'save': {
              const other = new SmmuRig({ silicon: EVERYTHING, dma: rig.ram });
              other.model.restore(structuredClone(rig.model.save()));
              expect(other.model.save()).toEqual(rig.model.save());
              rig.model.restore(other.model.save());
            }
          }
        }
      }),
      { seed, numRuns: runs(40, 5000) },
    );
  });

  test('nothing is reached but what a table maps', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(1023), dword), { maxLength: 60 }),
        fc.bigInt({ min: 0n, max: (1n << 48n) - 1n }),
        (entries, va) => {
          const rig = new SmmuRig();
          put(rig, STRTAB, ste({ config: 5 }));
          put(rig, CDTAB, cd());
          rig.start({ strtab: BigInt(STRTAB), cfg: 0 });
          for (const [index, value] of entries) rig.ram.write64(TABLES1 + index * 8, value);
          const pa = rig.translate(0, va, true);
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
  const page = fc.nat(15);
  const change = fc.record({ sid: fc.nat(3), page, target: fc.nat(63), drop: fc.boolean(), how: fc.nat(4) });

  test('differ in nothing from the tables for software that invalidates what it changes', () => {
    fc.assert(
      fc.property(fc.array(change, { minLength: 40, maxLength: 40 }), (changes) => {
        const rig = new SmmuRig({ silicon: { ...EVERYTHING, log2Iotlb: 4 } });
        const root = (sid: number): number => TABLES1 + sid * 0x40_0000;
        for (let sid = 0; sid < 4; sid++) {
          put(rig, STRTAB + sid * 64, ste({ config: 5, cdPtr: CDTAB + sid * 64, vmid: 2 }));
          put(rig, CDTAB + sid * 64, cd({ ttb: root(sid), asid: sid + 1 }));
        }
        rig.start({ strtab: BigInt(STRTAB), cfg: 2 });
        const oracle = new Map<string, number>();
        for (const { sid, page, target, drop, how } of changes) {
          const va = BigInt(page) * 0x1_0000n;
          const pa = 0x4800_0000 + target * 0x1000;
          map(rig, root(sid), va, pa, target % 2 === 0 ? 0xf43n : 0x743n);
          oracle.set(`${sid}.${page}`, pa);
          const ids = (BigInt(sid + 1) << 48n) | (2n << 32n);
          const commands = [
            [ids | 0x12n, va | 1n],
            [(2n << 32n) | 0x13n, va],
            [ids | 0x11n, 0n],
            [(2n << 32n) | 0x28n, 0n],
            [ids | (1n << 12n) | 0x12n, va | (1n << 10n)],
          ] as const;
          expect(rig.run(commands[how], [0x46n, 0n])).toBe(0);
          if (drop) rig.model.dropCaches();
          for (const [key, expected] of oracle) {
            const [s, p] = key.split('.').map(Number);
            expect(rig.translate(s, BigInt(p) * 0x1_0000n + 4n, true)).toBe(expected + 4);
          }
        }
      }),
      { seed, numRuns: runs(8, 400) },
    );
  });
});
