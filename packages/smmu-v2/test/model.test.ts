// SPDX-License-Identifier: Apache-2.0
// The SMMUv2 model by hand-written accesses: stream mapping, contexts, faults and their interrupts (Arm IHI 0062).

import { LinuxError } from '@irqkit/core';
import { regs, SMMU_V2_SILICON, TERMINATED } from '@irqkit/smmu-v2';
import {
  BYPASS,
  FAULT,
  HUPCF,
  map,
  OLD_PAGE,
  RO_PAGE,
  S2_PAGE,
  stage1,
  stage2,
  TABLES1,
  TABLES2,
  VALID,
  ENABLED,
} from './banks.js';
import { DEVICE, SmmuRig } from './smmu-rig.js';

const VA = 0x12_3456_7000n;
const PA = 0x4800_1000;
/** Of an access made twice. */
const WAYS = ['walked', 'remembered'] as const;

/** Stream 0x10 to bank 3, stage 1, with VA mapped. */
function started(options: ConstructorParameters<typeof SmmuRig>[0] = {}): SmmuRig {
  const rig = new SmmuRig(options);
  rig.mapStream(5, VALID + 0x10, 3);
  stage1(rig, 3, { sctlr: ENABLED + HUPCF });
  map(rig, TABLES1, VA, PA);
  rig.start();
  return rig;
}

describe('stream mapping', () => {
  test('after reset clients bypass, whatever the stream (CR0.CLIENTPD)', () => {
    const rig = new SmmuRig();
    expect(rig.read(regs.CR0)).toBe(1);
    expect(rig.translate(0x10, 0x1234_5678n)).toBe(0x1234_5678);
    expect(rig.translate(0x10, 1n << 48n)).toBe(TERMINATED.ADDRESS_SIZE);
  });

  test('a stream that no group matches bypasses or faults as CR0.USFCFG says', () => {
    const rig = new SmmuRig();
    rig.start(0x6);
    expect(rig.translate(0x10, 0x1234n)).toBe(0x1234);
    expect(rig.read(regs.GFSR)).toBe(0);
    rig.start(0x406);
    expect(rig.translate(0x1010, 0x20_0000_1234n, true)).toBe(TERMINATED.GLOBAL_FAULT);
    // USF; WNR; StreamID.
    expect(rig.read(regs.GFSR)).toBe(0x2);
    expect(rig.read(regs.GFAR)).toBe(0x1234);
    expect(rig.read({ offset: regs.GFAR.offset + 4 })).toBe(0x20);
    expect(rig.read(regs.GFSYNR0)).toBe(0x2);
    expect(rig.read(regs.GFSYNR1)).toBe(0x1010);
  });

  test('MASK bits do not matter, VALID does', () => {
    const rig = started();
    rig.mapStream(6, VALID + 0x0007_0000 + 0x100, BYPASS);
    rig.mapStream(7, 0x200, BYPASS);
    expect(rig.translate(0x107, 0x1234n)).toBe(0x1234);
    expect(rig.translate(0x108, 0x1234n)).toBe(TERMINATED.GLOBAL_FAULT);
    expect(rig.translate(0x200, 0x1234n)).toBe(TERMINATED.GLOBAL_FAULT);
  });

  test('two groups with one stream are a conflict: SMCF, or bypass without CR0.SMCFCFG', () => {
    const rig = started();
    rig.mapStream(9, VALID + 0x0010_0000, BYPASS);
    expect(rig.translate(0x10, VA)).toBe(TERMINATED.GLOBAL_FAULT);
    expect(rig.read(regs.GFSR)).toBe(0x4);
    rig.start(0x6);
    expect(rig.translate(0x10, VA)).toBe(Number(VA));
  });

  test('fault contexts, and banks that are not there', () => {
    const rig = started();
    rig.mapStream(1, VALID + 1, FAULT);
    rig.mapStream(2, VALID + 2, 16);
    rig.mapStream(3, VALID + 3, 4);
    // Stage 1 with stage 2 fault.
    stage1(rig, 4, { type: 2 });
    for (const [sid, bit] of [
      [1, 0x1],
      [2, 0x8],
      [3, 0x1],
    ]) {
      expect(rig.translate(sid, VA)).toBe(TERMINATED.GLOBAL_FAULT);
      expect(rig.read(regs.GFSR)).toBe(bit);
      rig.write(regs.GFSR, 0xffff_ffff);
      expect(rig.read(regs.GFSR)).toBe(0);
    }
  });

  test('bits of an SMR that are not there read as zero, as software probes them', () => {
    const rig = new SmmuRig({ silicon: { ...SMMU_V2_SILICON, SMR_ID: 0x3fff, SMR_MASK: 0x7f80 } });
    rig.writeAt(regs.SMR, 0, 0x7fff);
    expect(rig.readAt(regs.SMR, 0)).toBe(0x3fff);
    rig.writeAt(regs.SMR, 0, 0x7fff_0000);
    expect(rig.readAt(regs.SMR, 0)).toBe(0x7f80_0000);
    // IDR0.NUMSMRG is 128 here, so that the whole array is there; of 16, it is not.
    const small = new SmmuRig({ silicon: { ...SMMU_V2_SILICON, NUMSMRG: 16 } });
    expect(regs.IDR0.NUMSMRG(small.read(regs.IDR0))).toBe(16);
    small.mapStream(16, VALID + 1, BYPASS);
    expect([small.readAt(regs.SMR, 16), small.readAt(regs.S2CR, 16)]).toEqual([0, 0]);
  });

  test('without stream matching a StreamID is the index of its S2CR', () => {
    // IDR0.SMS, [27], off; NUMSIDB, [12:9], of 6.
    const rig = new SmmuRig({ silicon: { ...SMMU_V2_SILICON, IDR0: 0x7400_4c00 } });
    rig.mapStream(5, VALID + 0x10, BYPASS);
    rig.writeAt(regs.S2CR, 6, FAULT);
    rig.start();
    expect(rig.readAt(regs.SMR, 5)).toBe(0);
    expect(rig.translate(5, 0x1234n)).toBe(0x1234);
    expect(rig.translate(6, 0x1234n)).toBe(TERMINATED.GLOBAL_FAULT);
    expect(regs.GFSR.ICF(rig.read(regs.GFSR))).toBe(1);
    rig.write(regs.GFSR, 0xffff_ffff);
    expect(rig.translate(64, 0x1234n)).toBe(TERMINATED.GLOBAL_FAULT);
    expect(regs.GFSR.USF(rig.read(regs.GFSR))).toBe(1);
  });

  test('extended ids have 16 bits, and their valid bit in S2CR', () => {
    // IDR0.EXIDS, [8].
    const rig = new SmmuRig({ silicon: { ...SMMU_V2_SILICON, IDR0: SMMU_V2_SILICON.IDR0 + 0x100 } });
    rig.start(0x0020_043e);
    rig.mapStream(0, 0x000f_8010, BYPASS + 0x400);
    rig.mapStream(1, 0xffff_0000, BYPASS);
    expect(rig.readAt(regs.SMR, 0)).toBe(0x000f_8010);
    expect(rig.translate(0x8018, 0x1234n)).toBe(0x1234);
    expect(rig.translate(0x0018, 0x1234n)).toBe(TERMINATED.GLOBAL_FAULT);
    const plain = new SmmuRig();
    plain.start(0x0020_043e);
    expect(plain.read(regs.CR0)).toBe(0x0020_0436);
  });
});

describe('stage 1', () => {
  test('translates, by its pages and permissions', () => {
    const rig = started();
    map(rig, TABLES1, VA + 0x1000n, PA + 0x5000, { attributes: RO_PAGE });
    expect(rig.translate(0x10, VA + 0x123n, true)).toBe(PA + 0x123);
    expect(rig.translate(0x10, VA + 0x123n)).toBe(PA + 0x123);
    expect(rig.translate(0x10, VA + 0x1008n)).toBe(PA + 0x5008);
    expect(rig.model.translate(DEVICE, Number(VA) + 8, true)).toBe(PA + 8);
    // Read-only: remembered for reads, and a permission fault for a write.
    expect(rig.translate(0x10, VA + 0x1008n, true)).toBe(TERMINATED.CONTEXT_FAULT);
    // PF, AArch64; WNR at level 3.
    expect(rig.readBank(3, regs.FSR)).toBe(0x408);
    expect(rig.readBank(3, regs.FSYNR0)).toBe(0x13);
    expect(rig.readBank(3, regs.FAR)).toBe(0x3456_8008);
    expect(rig.readBank(3, { offset: regs.FAR.offset + 4 })).toBe(0x12);
    expect(rig.readAt(regs.CBFRSYNRA, 3, 1)).toBe(0x10);
  });

  test('the faults by their kinds, and what comes after a first one', () => {
    const rig = started();
    map(rig, TABLES1, VA + 0x1000n, PA, { attributes: OLD_PAGE });
    // A table that is no memory, and a leaf of more than 48 bits' worth of TCR2.PASize is not to be had: 32 bits.
    map(rig, TABLES1, VA + 0x4000_0000n, PA);
    rig.ram.write64(TABLES1 + 8 * 3, 0x8000_0003n);
    const kinds: readonly (readonly [bigint, number, number])[] = [
      [VA + 0x2000n, 0x402, 0x3],
      [VA + 0x1000n, 0x404, 0x3],
      [3n << 39n, 0x410, 0x401],
      [1n << 47n, 0x402, 0x0],
    ];
    for (const [address, fsr, fsynr0] of kinds) {
      expect(rig.translate(0x10, address)).toBe(TERMINATED.CONTEXT_FAULT);
      expect([rig.readBank(3, regs.FSR), rig.readBank(3, regs.FSYNR0)]).toEqual([fsr, fsynr0]);
      rig.writeBank(3, regs.FSR, 0xffff_ffff);
      expect(rig.readBank(3, regs.FSR)).toBe(0);
    }
    rig.translate(0x10, VA + 0x2000n);
    rig.translate(0x10, VA + 0x1000n, true);
    // MULTI; the first one's syndrome stands.
    expect(rig.readBank(3, regs.FSR)).toBe(0x8000_0402);
    expect(rig.readBank(3, regs.FSYNR0)).toBe(0x3);
    expect(rig.readBank(3, regs.FAR)).toBe(0x3456_9000);
  });

  test('output beyond TCR2.PASize is an address size fault', () => {
    const rig = started();
    map(rig, TABLES1, VA + 0x1000n, 2 ** 40);
    stage1(rig, 3, { tcr2: 0x3_8011 });
    expect(rig.translate(0x10, VA + 0x1000n)).toBe(TERMINATED.CONTEXT_FAULT);
    expect(rig.readBank(3, regs.FSR)).toBe(0x480);
  });

  test('TTBR1 translates addresses whose bit 48 is set, which software gives extended', () => {
    const rig = started();
    const root1 = TABLES1 + 0x100_0000;
    // T1SZ 16, TG1 of 4 KiB, EPD1 clear.
    stage1(rig, 3, { tcr: 0x8010_0010, ttbr1: BigInt(root1) });
    const upper = 0xffff_8000_0000_0000n;
    map(rig, root1, upper & 0xffff_ffff_ffffn, PA + 0x3000);
    for (const way of WAYS) expect([way, rig.translate(0x10, upper + 4n)]).toEqual([way, PA + 0x3004]);
    expect(rig.model.translate(DEVICE, -(2 ** 47) + 8, false)).toBe(PA + 0x3008);
    expect(rig.translate(0x10, VA + 4n)).toBe(PA + 4);
    expect(rig.translate(0x10, 0x1_8000_0000_0000n)).toBe(TERMINATED.CONTEXT_FAULT);
  });

  test('TCR2.SEP extends from another bit', () => {
    const rig = started();
    const root1 = TABLES1 + 0x100_0000;
    stage1(rig, 3, { tcr: 0x8020_0020, tcr2: 0x1_0015, ttbr1: BigInt(root1) });
    // 32 bits each, from level 1: SEP of bit 39.
    map(rig, root1, 0x9000_0000n, PA + 0x3000, { first: 1 });
    map(rig, TABLES1, 0x9000_0000n, PA + 0x4000, { first: 1 });
    for (const way of WAYS) {
      const pas = [0xff_9000_0004n, 0x9000_0004n].map((address) => rig.translate(0x10, address));
      expect([way, ...pas]).toEqual([way, PA + 0x3004, PA + 0x4004]);
    }
    expect(rig.translate(0x10, 0x7f_9000_0004n)).toBe(TERMINATED.CONTEXT_FAULT);
  });

  test('a bank that is disabled passes addresses as they are', () => {
    const rig = started();
    stage1(rig, 3, { sctlr: 0x160 });
    expect(rig.translate(0x10, VA)).toBe(Number(VA));
    expect(rig.translate(0x10, 1n << 48n)).toBe(TERMINATED.ADDRESS_SIZE);
  });

  test('S2CR.PRIVCFG makes accesses privileged', () => {
    const rig = started();
    // AP of privileged read and write alone.
    map(rig, TABLES1, VA + 0x1000n, PA, { attributes: 0xf03n });
    expect(rig.translate(0x10, VA + 0x1000n)).toBe(TERMINATED.CONTEXT_FAULT);
    rig.writeAt(regs.S2CR, 5, 0x0300_0003);
    expect(rig.translate(0x10, VA + 0x1000n, true)).toBe(PA);
    expect(rig.translate(0x10, VA + 0x2000n)).toBe(TERMINATED.CONTEXT_FAULT);
    rig.writeBank(3, regs.FSR, 0xffff_ffff);
    rig.translate(0x10, VA + 0x2000n);
    // PNU at level 3.
    expect(rig.readBank(3, regs.FSYNR0)).toBe(0x23);
  });
});

describe('AArch32 tables in the long format', () => {
  /** EAE, T0SZ 0, EPD1. */
  const TCR = 0x8080_0000;

  function aarch32(options: { tcr?: number; ttbr1?: bigint } = {}): SmmuRig {
    const rig = started();
    stage1(rig, 3, { tcr: TCR, sctlr: ENABLED + HUPCF, ...options });
    rig.writeAt(regs.CBA2R, 3, 0, 1);
    return rig;
  }

  test('translate 32 bits', () => {
    const rig = aarch32();
    map(rig, TABLES1, 0xc123_4000n, PA, { first: 1 });
    for (const way of WAYS) expect([way, rig.translate(0x10, 0xc123_4018n, true)]).toEqual([way, PA + 0x18]);
    expect(rig.translate(0x10, 0x1_c123_4018n)).toBe(TERMINATED.CONTEXT_FAULT);
    // TF, the long format.
    expect(rig.readBank(3, regs.FSR)).toBe(0x202);
    map(rig, TABLES1, 0xc123_4000n, PA + 0x1000, { first: 1 });
    expect(rig.translate(0x10, 0xc123_4018n)).toBe(PA + 0x18);
    // VA[31:12] and ASID 1, in one word.
    rig.writeBank(3, regs.TLBIVA, 0xc123_4001);
    expect(rig.translate(0x10, 0xc123_4018n)).toBe(PA + 0x1018);
  });

  test('TTBR1 has what T1SZ or T0SZ leaves to it', () => {
    const root1 = TABLES1 + 0x100_0000;
    // T1SZ 1: the upper 2 GiB.
    const rig = aarch32({ tcr: 0x8001_0000, ttbr1: BigInt(root1) });
    map(rig, root1, 0x4000_0000n, PA + 0x1000, { first: 1 });
    map(rig, TABLES1, 0x4000_0000n, PA + 0x2000, { first: 1 });
    // Level 1 of 31 bits has two entries: VA[30].
    for (const way of WAYS) {
      const pas = [0xc000_0004n, 0x4000_0004n].map((address) => rig.translate(0x10, address));
      expect([way, ...pas]).toEqual([way, PA + 0x1004, PA + 0x2004]);
    }
  });

  test('the short format translates nothing', () => {
    const rig = aarch32({ tcr: 0 });
    expect(rig.translate(0x10, 0x1000n)).toBe(TERMINATED.CONTEXT_FAULT);
    expect(regs.FSR.TF(rig.readBank(3, regs.FSR))).toBe(1);
    expect(rig.unimp).toContain('IDR0.PTFS: AArch32 short-descriptor tables translate nothing');
  });
});

describe('stage 2', () => {
  test('translates alone', () => {
    const rig = started();
    rig.mapStream(1, VALID + 1, 2);
    stage2(rig, 2, { vmid: 7, sctlr: ENABLED + HUPCF });
    map(rig, TABLES2, VA, PA, { first: 1, attributes: S2_PAGE });
    for (const way of WAYS) expect([way, rig.translate(1, VA + 4n, true)]).toEqual([way, PA + 4]);
    expect(rig.translate(1, VA + 0x1004n)).toBe(TERMINATED.CONTEXT_FAULT);
    expect(rig.readBank(2, regs.FSR)).toBe(0x402);
    expect(rig.readBank(2, regs.FAR)).toBe(0x3456_8004);
    expect(rig.readBank(2, regs.IPAFAR)).toBe(0x3456_8000);
    expect(rig.readBank(2, { offset: regs.IPAFAR.offset + 4 })).toBe(0x12);
    expect(rig.readBank(2, regs.FSYNR0)).toBe(0x3);
    expect(rig.translate(1, 1n << 40n)).toBe(TERMINATED.CONTEXT_FAULT);
  });

  test('banks of stage 2 alone have no other type', () => {
    const rig = new SmmuRig({ silicon: { ...SMMU_V2_SILICON, NUMS2CB: 4 } });
    for (const bank of [3, 4]) rig.writeAt(regs.CBAR, bank, 0x1_0000, 1);
    expect([3, 4].map((bank) => regs.CBAR.TYPE(rig.readAt(regs.CBAR, bank, 1)))).toEqual([0, 1]);
  });

  test('an SMMUv1 has AArch32 tables of 40 bits, whose T0SZ is signed', () => {
    // IDR0 of stage 2 and the long format, SMS, NUMSIDB 15, one interrupt, 32 groups; 40 bits.
    const silicon = { IDR0: 0x2901_1e20, IDR2: 0x22, IDR7: 0x10, NUMCB: 4, NUMS2CB: 4 };
    const rig = new SmmuRig({ silicon, regBytes: 0x1_0000, nrGlobal: 1, nrContext: 1 });
    rig.mapStream(0, VALID + 1, 2);
    rig.writeAt(regs.CBAR, 2, 0x0000_0009, 1);
    // T0SZ of -8 with its sign in [4], SL0 of level 1, EAE.
    rig.writeBank(2, regs.TCR, 0x8000_0058);
    rig.writeBank64(2, regs.TTBR0, BigInt(TABLES2));
    rig.writeBank(2, regs.SCTLR, ENABLED + HUPCF);
    rig.start();
    map(rig, TABLES2, 0xab_cdef_0000n, PA, { first: 1, attributes: S2_PAGE });
    expect(rig.translate(1, 0xab_cdef_0008n, true)).toBe(PA + 8);
    expect(rig.levels).toEqual([false, false]);
    expect(rig.translate(1, 0x1_0000n)).toBe(TERMINATED.CONTEXT_FAULT);
    // Without a format; any bank drives the one wire.
    expect(rig.readBank(2, regs.FSR)).toBe(0x2);
    expect(rig.levels).toEqual([false, true]);
    // CBAR.IRPTNDX of an interrupt that is not there: UCIF as well.
    rig.writeAt(regs.CBAR, 2, 0x0500_0009, 1);
    expect(rig.levels).toEqual([false, false]);
    rig.translate(1, 0x1_0000n);
    expect(regs.GFSR.UCIF(rig.read(regs.GFSR))).toBe(1);
    expect(rig.levels).toEqual([true, false]);
  });
});

describe('both stages', () => {
  const OFFSET = 0x1000_0000;

  const ROOT = TABLES1 + 0x10_0000;

  /** Stage 2 has the 2 MiB of stage 1's tables at their address plus OFFSET, and one page. */
  function nested(): SmmuRig {
    const rig = started();
    stage1(rig, 3, { type: 3, bank2: 8, ttb: ROOT + OFFSET, sctlr: ENABLED + HUPCF });
    stage2(rig, 8, { vmid: 9, sctlr: ENABLED + HUPCF });
    const blocks = TABLES2 + 0x8_0000;
    rig.ram.write64(TABLES2 + 8 * Math.floor((TABLES1 + OFFSET) / 2 ** 30), BigInt(blocks) | 3n);
    rig.ram.write64(blocks + 8 * (((TABLES1 + OFFSET) / 2 ** 21) % 512), BigInt(TABLES1) | 0x7fdn);
    map(rig, TABLES2, 0x7000_3000n, PA + 0x9000, { first: 1, attributes: S2_PAGE });
    map(rig, ROOT, VA + 0x4000n, 0x7000_3000, { base: OFFSET });
    map(rig, ROOT, VA + 0x5000n, 0x7000_8000, { base: OFFSET });
    return rig;
  }

  test('stage 1 puts out what stage 2 translates', () => {
    const rig = nested();
    for (const way of WAYS) expect([way, rig.translate(0x10, VA + 0x4004n, true)]).toEqual([way, PA + 0x9004]);
    expect(rig.translate(0x10, VA + 0x5004n)).toBe(TERMINATED.CONTEXT_FAULT);
    // Level 3, NESTED, S1CBNDX 3.
    expect(rig.readBank(8, regs.FSYNR0)).toBe(0x0003_0007);
    expect(rig.readBank(8, regs.IPAFAR)).toBe(0x7000_8000);
  });

  test('a fault of stage 2 is recorded in its bank, with the bank of stage 1', () => {
    const rig = nested();
    stage1(rig, 3, { type: 3, bank2: 8, ttb: 0x9000_0000 });
    expect(rig.translate(0x10, VA, true)).toBe(TERMINATED.CONTEXT_FAULT);
    expect(rig.readBank(3, regs.FSR)).toBe(0);
    expect(rig.readBank(8, regs.FSR)).toBe(0x402);
    // S1CBNDX 3, WNR, S1PTWF, NESTED, level 1.
    expect(rig.readBank(8, regs.FSYNR0)).toBe(0x0003_001d);
    expect(rig.readBank(8, regs.FAR)).toBe(0x3456_7000);
    expect(rig.readBank(8, regs.IPAFAR)).toBe(0x9000_0000);
    expect(rig.levels[2 + 8]).toBe(true);
  });

  test('with stage 1 disabled, addresses are those of stage 2', () => {
    const rig = nested();
    stage1(rig, 3, { type: 3, bank2: 8, sctlr: 0x60 });
    expect(rig.translate(0x10, 0x7000_3004n)).toBe(PA + 0x9004);
  });

  test('a second bank must be there, and be of stage 2', () => {
    const rig = nested();
    stage1(rig, 3, { type: 3, bank2: 16 });
    rig.translate(0x10, VA);
    expect(rig.read(regs.GFSR)).toBe(0x8);
    rig.write(regs.GFSR, 0xffff_ffff);
    stage1(rig, 3, { type: 3, bank2: 3 });
    rig.translate(0x10, VA);
    expect(rig.read(regs.GFSR)).toBe(0x1);
  });
});

describe('interrupts', () => {
  test('levels follow FSR and SCTLR.CFIE', () => {
    const rig = started();
    rig.translate(0x10, 0n);
    expect(rig.levels.indexOf(true)).toBe(2 + 3);
    rig.writeBank(3, regs.SCTLR, ENABLED - 0x40);
    expect(rig.levels).not.toContain(true);
    rig.writeBank(3, regs.SCTLR, ENABLED);
    expect(rig.levels.indexOf(true)).toBe(2 + 3);
    rig.writeBank(3, regs.FSR, 0x2);
    expect(rig.levels).not.toContain(true);
    rig.writeBank(3, regs.FSRRESTORE, 0x8);
    expect(rig.levels.indexOf(true)).toBe(2 + 3);
  });

  test('levels follow GFSR and CR0.GFIE', () => {
    const rig = started();
    rig.translate(0x999, 0n);
    expect(rig.levels.indexOf(true)).toBe(0);
    rig.start(0x0020_0432);
    expect(rig.levels).not.toContain(true);
    rig.start();
    rig.translate(0x999, 0n);
    expect(rig.read(regs.GFSR)).toBe(0x8000_0002);
    rig.write(regs.GFSR, 0x8000_0002);
    expect(rig.levels).not.toContain(true);
  });
});

describe('an outstanding fault', () => {
  test('terminates what follows in its bank until it is cleared, unless SCTLR.HUPCF is 1', () => {
    const rig = started();
    stage1(rig, 3, { sctlr: ENABLED });
    expect(rig.translate(0x10, VA)).toBe(PA);
    const before = rig.model.generation;
    expect(rig.translate(0x10, 0n)).toBe(TERMINATED.CONTEXT_FAULT);
    expect(rig.model.generation).not.toBe(before);
    expect(rig.translate(0x10, VA)).toBe(TERMINATED.BLOCKED);
    expect(rig.translate(0x10, 0n)).toBe(TERMINATED.BLOCKED);
    expect(rig.readBank(3, regs.FSR)).toBe(0x402);
    rig.writeBank(3, regs.FSR, 0x2);
    expect(rig.translate(0x10, VA)).toBe(PA);
    rig.writeBank(3, regs.SCTLR, ENABLED + HUPCF);
    rig.translate(0x10, 0n);
    expect(rig.translate(0x10, VA)).toBe(PA);
  });

  test('never stalls: CFCFG cannot be set, RESUME does nothing', () => {
    const rig = started();
    rig.writeBank(3, regs.SCTLR, ENABLED + 0x80);
    expect(rig.readBank(3, regs.SCTLR)).toBe(ENABLED);
    rig.writeBank(3, regs.RESUME, 1);
    expect(rig.unimp).toContain('SCTLR.CFCFG: faulting transactions are terminated');
    expect(rig.guest.join()).toContain('RESUME');
  });
});

describe('registers', () => {
  test('of an SMMU of 64 KiB pages stand further apart', () => {
    const rig = new SmmuRig({ regBytes: 0x80_0000 });
    // PAGESIZE, NUMPAGENDXB 5, 16 banks.
    expect(rig.read(regs.IDR1)).toBe(0xd000_0010);
    rig.mapStream(0, VALID + 1, 3);
    stage1(rig, 3);
    map(rig, TABLES1, VA, PA);
    rig.start();
    expect(rig.translate(1, VA)).toBe(PA);
    // CBAR of bank 3 at 0x10000 + 0xc, TCR of bank 3 at (64 + 3) * 0x10000 + 0x30.
    expect(rig.read({ offset: 0x1_000c })).toBe(0x1_0000);
    expect(rig.read({ offset: 0x43_0030 })).toBe(0x0080_0010);
    expect(rig.read({ offset: 0x43_1030 })).toBe(0);
  });

  test('the prefetcher of an MMU-500 is locked by ACR.CACHE_LOCK', () => {
    const rig = new SmmuRig({ silicon: { ...SMMU_V2_SILICON, ACR: 0x0400_0000, ACTLR: 3 } });
    rig.writeBank(0, regs.ACTLR, 0);
    expect(rig.readBank(0, regs.ACTLR)).toBe(2);
    rig.write(regs.ACR, 0x500);
    rig.writeBank(0, regs.ACTLR, 0);
    expect(rig.readBank(0, regs.ACTLR)).toBe(0);
  });

  test('what is not there, and other widths, are RAZ/WI', () => {
    const rig = started();
    const [frame] = rig.model.frames;
    for (const offset of [0x2000, 0x3f00, 0x1_ffff_fffc, 0x2_0000, 0x1_0ffc]) {
      frame.write(offset, 0xffff_ffff, 4, DEVICE);
      expect(frame.read(offset, 4, DEVICE)).toBe(0);
    }
    frame.write(regs.CR0.offset, 0, 1, DEVICE);
    expect(frame.read(regs.CR0.offset, 2, DEVICE)).toBe(0);
    expect(rig.read(regs.CR0)).toBe(0x0020_0436);
    expect(rig.read(regs.TLBGSTATUS)).toBe(0);
    expect(rig.guest.length).toBeGreaterThan(0);
  });
});

describe('save and restore', () => {
  test('go on where they were, with the levels', () => {
    const rig = started();
    rig.translate(0x10, 0n);
    rig.translate(0x999, 4n);
    const other = new SmmuRig({ ram: rig.ram });
    other.model.restore(structuredClone(rig.model.save()));
    expect(other.model.save()).toEqual(rig.model.save());
    expect(other.levels).toEqual(rig.levels);
    expect(other.translate(0x10, VA)).toBe(PA);
    expect(other.read(regs.GFSYNR1)).toBe(0x999);
  });

  test('refuse other versions and other silicon', () => {
    const rig = started();
    const state = rig.model.save();
    const other = new SmmuRig({ silicon: { ...SMMU_V2_SILICON, NUMSMRG: 4 } });
    expect(() => rig.model.restore({ ...state, version: 2 })).toThrow(LinuxError);
    expect(() => rig.model.restore({ ...state, words: new Uint32Array(3) })).toThrow(/EINVAL/);
    expect(() => other.model.restore(state)).toThrow(/cannot restore the state of other ID registers \(EINVAL\)/);
  });
});
