// SPDX-License-Identifier: Apache-2.0
// What the TLB remembers stands until the operation that names it (Arm IHI 0062, "TLB maintenance operations"; AArch64 operands).

import { regs, SMMU_V2_SILICON } from '@irqkit/smmu-v2';
import { ENABLED, HUPCF, map, RW_PAGE, S2_PAGE, stage1, stage2, TABLES1, TABLES2, VALID } from './banks.js';
import { SmmuRig } from './smmu-rig.js';

const VA = 0x12_3456_7000n;
const IPA = 0x9000_3000n;
const OLD = 0x4800_1000;
const NEW = 0x4900_2000;
/** Streams: two of stage 1 (ASID 1 and 2), one of stage 2 (VMID 7), and one of both stages (ASID 3, VMID 7). */
const STAGE1 = 1;
const OTHER_ASID = 2;
const STAGE2 = 3;
const NESTED = 4;
const ALL = [STAGE1, OTHER_ASID, STAGE2, NESTED];
const SCTLR = ENABLED + HUPCF;
const ROOT3 = TABLES1 + 0x40_0000;

function machine(attributes: bigint = RW_PAGE): { rig: SmmuRig; remap(): void } {
  const rig = new SmmuRig();
  for (const sid of ALL) rig.mapStream(sid, VALID + sid, sid);
  stage1(rig, 1, { asid: 1, sctlr: SCTLR });
  stage1(rig, 2, { asid: 2, ttb: TABLES1 + 0x20_0000, sctlr: SCTLR });
  stage2(rig, 3, { vmid: 7, sctlr: SCTLR });
  stage1(rig, 4, { asid: 3, ttb: ROOT3, type: 3, bank2: 3, sctlr: SCTLR });
  const leaves = (pa: number): void => {
    map(rig, TABLES1, VA, pa, { attributes });
    map(rig, TABLES1 + 0x20_0000, VA, pa, { attributes });
    map(rig, TABLES2, IPA, pa, { first: 1, attributes: S2_PAGE });
  };
  leaves(OLD);
  map(rig, ROOT3, VA, Number(IPA));
  // A block of 1 GiB, one to one, for the tables of stream 4.
  rig.ram.write64(TABLES2 + 8, 0x4000_07fdn);
  rig.start();
  return { rig, remap: () => leaves(NEW) };
}

const addressOf = (sid: number): bigint => (sid === STAGE2 ? IPA : VA);

/** Which streams see the new page after the operation. */
function seesNew(operation: (rig: SmmuRig) => void, attributes?: bigint): number[] {
  const { rig, remap } = machine(attributes);
  for (const sid of ALL) expect(rig.translate(sid, addressOf(sid) + 4n)).toBe(OLD + 4);
  remap();
  for (const sid of ALL) expect(rig.translate(sid, addressOf(sid) + 4n)).toBe(OLD + 4);
  const { generation } = rig.model;
  operation(rig);
  expect(rig.model.generation).not.toBe(generation);
  return ALL.filter((sid) => rig.translate(sid, addressOf(sid) + 4n) === NEW + 4);
}

const page = VA >> 12n;
const asid = (value: bigint): bigint => value << 48n;

test.each<[string, (rig: SmmuRig) => void, number[]]>([
  ['TLBIVA', (rig) => rig.writeBank64(1, regs.TLBIVA, asid(1n) | page), [STAGE1]],
  ['TLBIVA of another page', (rig) => rig.writeBank64(1, regs.TLBIVA, asid(1n) | (page + 1n)), []],
  ['TLBIVA of another ASID', (rig) => rig.writeBank64(1, regs.TLBIVA, asid(5n) | page), []],
  ['TLBIVA by another bank of the VMID', (rig) => rig.writeBank64(2, regs.TLBIVA, asid(1n) | page), [STAGE1]],
  ['TLBIVA of the upper half', (rig) => rig.writeBank64(1, regs.TLBIVA, asid(1n) | page | (1n << 43n)), []],
  ['TLBIVAL', (rig) => rig.writeBank64(2, regs.TLBIVAL, asid(2n) | page), [OTHER_ASID]],
  ['TLBIVAA', (rig) => rig.writeBank64(1, regs.TLBIVAA, page), [STAGE1, OTHER_ASID]],
  ['TLBIVAAL', (rig) => rig.writeBank64(1, regs.TLBIVAAL, page), [STAGE1, OTHER_ASID]],
  ['TLBIVAA of two stages', (rig) => rig.writeBank64(4, regs.TLBIVAA, page), [NESTED]],
  ['TLBIASID', (rig) => rig.writeBank(1, regs.TLBIASID, 2), [OTHER_ASID]],
  ['TLBIALL', (rig) => rig.writeBank(1, regs.TLBIALL, 0), [STAGE1, OTHER_ASID]],
  ['TLBIALL of a VMID', (rig) => rig.writeBank(3, regs.TLBIALL, 0), [STAGE2, NESTED]],
  ['TLBIIPAS2', (rig) => rig.writeBank64(3, regs.TLBIIPAS2, IPA >> 12n), [STAGE2]],
  ['TLBIIPAS2L', (rig) => rig.writeBank64(3, regs.TLBIIPAS2L, IPA >> 12n), [STAGE2]],
  ['TLBIIPAS2 of another page', (rig) => rig.writeBank64(3, regs.TLBIIPAS2, (IPA >> 12n) + 1n), []],
  ['TLBIVMID', (rig) => rig.write(regs.TLBIVMID, 7), [STAGE2, NESTED]],
  ['TLBIVMID of stage 1', (rig) => rig.write(regs.TLBIVMID, 0), [STAGE1, OTHER_ASID]],
  ['TLBIALLNSNH', (rig) => rig.write(regs.TLBIALLNSNH, 0xffff_ffff), ALL],
  ['TLBSYNC', (rig) => rig.writeBank(1, regs.TLBSYNC, 0), []],
  ['TLBGSYNC', (rig) => rig.write(regs.TLBGSYNC, 0), []],
  ['a stage 1 operation on a bank of stage 2', (rig) => rig.writeBank64(3, regs.TLBIVA, page), []],
  ['a stage 2 operation on a bank of stage 1', (rig) => rig.writeBank64(1, regs.TLBIIPAS2, page), []],
  ['another ASID in TTBR0', (rig) => rig.writeBank64(1, regs.TTBR0, asid(9n) | BigInt(TABLES1)), [STAGE1]],
  ['CR0.CLIENTPD and back', (rig) => [0x0020_0437, 0x0020_0436].forEach((cr0) => rig.start(cr0)), []],
])('%s', (_name, operation, expected) => {
  expect(seesNew(operation)).toEqual(expected);
});

test('operands in two words: the upper is kept for the lower, which operates', () => {
  expect(
    seesNew((rig) => {
      rig.writeBank(1, { offset: regs.TLBIVA.offset + 4 }, Number((asid(1n) | page) >> 32n));
      rig.writeBank(1, regs.TLBIVA, Number(page & 0xffff_ffffn));
    }),
  ).toEqual([STAGE1]);
});

test('global pages are of any ASID', () => {
  const GLOBAL = RW_PAGE - 0x800n;
  expect(seesNew((rig) => rig.writeBank64(1, regs.TLBIVA, asid(9n) | page), GLOBAL)).toEqual([STAGE1, OTHER_ASID]);
});

test('any page of a block takes all of it', () => {
  const rig = new SmmuRig();
  rig.mapStream(1, VALID + 1, 1);
  stage1(rig, 1, { sctlr: SCTLR });
  rig.start();
  const table = TABLES1 + 0x1000;
  rig.ram.write64(TABLES1, BigInt(table) | 3n);
  rig.ram.write64(table, 0x4000_0f41n);
  expect(rig.translate(1, 0x1234_5678n)).toBe(0x5234_5678);
  rig.ram.write64(table, 0x8000_0f41n);
  expect(rig.translate(1, 0x1234_5678n)).toBe(0x5234_5678);
  rig.writeBank64(1, regs.TLBIVA, (1n << 48n) | 0x3n);
  expect(rig.translate(1, 0x1234_5678n)).toBe(0x9234_5678);
});

test('VMIDs of 16 bits are told apart while CR0.VMID16EN is 1', () => {
  const rig = new SmmuRig({ silicon: SMMU_V2_SILICON });
  rig.mapStream(1, VALID + 1, 1);
  stage2(rig, 1, { sctlr: SCTLR });
  rig.writeAt(regs.CBA2R, 1, 0x0107_0001, 1);
  rig.start(0x8020_0436);
  map(rig, TABLES2, IPA, OLD, { first: 1, attributes: S2_PAGE });
  expect(rig.translate(1, IPA)).toBe(OLD);
  map(rig, TABLES2, IPA, NEW, { first: 1, attributes: S2_PAGE });
  rig.write(regs.TLBIVMID, 0x07);
  expect(rig.translate(1, IPA)).toBe(OLD);
  rig.write(regs.TLBIVMID, 0x107);
  expect(rig.translate(1, IPA)).toBe(NEW);
});
