// SPDX-License-Identifier: Apache-2.0
// The SMMU model by hand: registers, stream and context tables, substreams, what is remembered and what drops it.

import { ABORTED, layouts, regs } from '@irqkit/smmu-v3';
import { LinuxError } from '@irqkit/core';
import { CPU, recordWords, SmmuRig } from './smmu-rig.js';
import { cd, CDTAB, map, mapStage2Block, put, RO_PAGE, ste, STRTAB, TABLES1, TABLES2 } from './stream-tables.js';

const { EVENT, EVENT_CLASS, EVENT_NUMBER, STE_CONFIG, STE_S1DSS, STE_S1FMT } = layouts;
const NESTED = { IDR0: 0x0d44_101b, IDR3: 0x1414 };
/** With substreams of 12 bits, two-level context tables, attribute overrides. */
const RICH = { IDR0: 0x0d4c_101b, IDR1: 0x0673_0310, IDR3: 0x1414 };
const LINEAR_64 = 6;
const VA = 0x1_2345_6789n;
const PAGE = 0x4500_0000;
const SYNC = [0x46n, 0n] as const;

const entry = (sid: number): number => STRTAB + sid * 64;
const numbers = (rig: SmmuRig): number[] => rig.events().map(([word]) => Number(word & 0xffn));

/** Stream 1: stage 1 with VA → PAGE. */
function stage1Rig(silicon: Readonly<Record<string, number>> = {}): SmmuRig {
  const rig = new SmmuRig({ silicon });
  put(rig, entry(1), ste({ config: STE_CONFIG.S1 }));
  put(rig, CDTAB, cd());
  map(rig, TABLES1, VA, PAGE);
  rig.start({ strtab: BigInt(STRTAB), cfg: LINEAR_64 });
  return rig;
}

describe('transactions while the SMMU is disabled', () => {
  test('bypass up to the output size, or abort by GBPA, without an event', () => {
    const rig = new SmmuRig();
    expect(rig.translate(7, 0x1234_5678n, true)).toBe(0x1234_5678);
    expect(rig.translate(7, 1n << 44n, true)).toBe(ABORTED);
    rig.write(regs.GBPA, regs.GBPA.ABORT.mask);
    expect(rig.translate(7, 0x1234_5678n, true)).toBe(0x1234_5678);
    rig.write(regs.GBPA, regs.GBPA.ABORT.mask | regs.GBPA.Update.mask);
    expect(rig.read(regs.GBPA)).toBe(regs.GBPA.ABORT.mask);
    expect(rig.translate(7, 0x1234_5678n, true)).toBe(ABORTED);
    expect(rig.events()).toEqual([]);
  });
});

describe('stream tables', () => {
  test('a StreamID beyond LOG2SIZE is C_BAD_STREAMID, recorded by CR2.RECINVSID', () => {
    const rig = stage1Rig();
    expect(rig.translate(64, VA, false)).toBe(-EVENT_NUMBER.C_BAD_STREAMID);
    expect(numbers(rig)).toEqual([EVENT_NUMBER.C_BAD_STREAMID]);
    rig.write(regs.CR0, 0);
    rig.write(regs.CR2, 0);
    rig.write(regs.CR0, 0xd);
    expect(rig.translate(64, VA, false)).toBe(-EVENT_NUMBER.C_BAD_STREAMID);
    expect(numbers(rig)).toEqual([]);
  });

  test('Config: abort, reserved, bypass; V of 0; no memory', () => {
    const rig = stage1Rig();
    put(rig, entry(2), ste({ config: STE_CONFIG.ABORT }));
    put(rig, entry(3), ste({ config: 0b010 }));
    put(rig, entry(4), ste({ config: STE_CONFIG.BYPASS }));
    put(rig, entry(5), ste({ config: STE_CONFIG.BYPASS, v: 0 }));
    expect(rig.translate(2, VA, true)).toBe(ABORTED);
    expect(rig.translate(3, VA, true)).toBe(ABORTED);
    expect(rig.translate(4, VA, true)).toBe(Number(VA));
    expect(numbers(rig)).toEqual([]);
    expect(rig.translate(5, VA, true)).toBe(-EVENT_NUMBER.C_BAD_STE);
    expect(rig.translate(4, 1n << 44n, true)).toBe(-EVENT_NUMBER.F_ADDR_SIZE);
    expect(numbers(rig)).toEqual([EVENT_NUMBER.C_BAD_STE, EVENT_NUMBER.F_ADDR_SIZE]);
    rig.write(regs.CR0, 0);
    rig.write64(regs.STRTAB_BASE, 0x1000n);
    rig.write(regs.CR0, 0xd);
    expect(rig.translate(1, VA, true)).toBe(-EVENT_NUMBER.F_STE_FETCH);
    expect(EVENT.FetchAddr(recordWords(rig.events()[0]))).toBe(0x1040);
  });

  test('of two levels: a Span that reaches, and one that does not', () => {
    const rig = stage1Rig();
    rig.write(regs.CR0, 0);
    rig.write64(regs.STRTAB_BASE, 0x4002_0000n);
    rig.write(regs.STRTAB_BASE_CFG, (1 << 16) | (8 << 6) | 16);
    rig.write(regs.CR0, 0xd);
    // StreamID 0x301: the level 2 table of 4 entries stands at 0x4003_0000.
    rig.ram.write64(0x4002_0018, 0x4003_0003n);
    put(rig, 0x4003_0040, ste({ config: STE_CONFIG.BYPASS }));
    expect(rig.translate(0x301, VA, true)).toBe(Number(VA));
    expect(rig.model.locateSte(0x301)).toBe(0x4003_0040);
    expect(rig.model.locateSte(0x304)).toBeUndefined();
    expect(rig.model.locateSte(0x1_0000)).toBeUndefined();
    expect(rig.translate(0x304, VA, true)).toBe(-EVENT_NUMBER.C_BAD_STREAMID);
  });
});

describe('substreams', () => {
  const CD_OF_5 = { linear: CDTAB + 5 * 64, level1: 0x4003_0000, leaf: 0x4004_0000 };

  function substreamRig(options: Partial<Parameters<typeof ste>[0]>): SmmuRig {
    const rig = stage1Rig(RICH);
    put(rig, entry(1), ste({ config: STE_CONFIG.S1, cdMax: 8, ...options }));
    return rig;
  }

  test('a linear table: by SubstreamID, beyond S1CDMax, without V', () => {
    const rig = substreamRig({ dss: STE_S1DSS.SSID0 });
    put(rig, CD_OF_5.linear, cd({ asid: 5 }));
    expect(rig.translate(1, VA, true, 5)).toBe(PAGE + 0x789);
    expect(rig.model.locateCd(1, 5)).toBe(CD_OF_5.linear);
    expect(rig.translate(1, VA, true, 256)).toBe(-EVENT_NUMBER.C_BAD_SUBSTREAMID);
    expect(rig.translate(1, VA, true, 6)).toBe(-EVENT_NUMBER.C_BAD_CD);
    const [bad, cdRecord] = rig.events().map(recordWords);
    expect([EVENT.number(bad), EVENT.SSV(bad), EVENT.SubstreamID(bad)]).toEqual([0x08, 0, 256]);
    expect([EVENT.number(cdRecord), EVENT.SSV(cdRecord), EVENT.SubstreamID(cdRecord)]).toEqual([0x0a, 1, 6]);
  });

  test.each([
    ['4 KiB', STE_S1FMT.TWO_LEVEL_4K, 70, 1, 6],
    ['64 KiB', STE_S1FMT.TWO_LEVEL_64K, 70, 0, 70],
  ])('two levels with leaves of %s', (_, fmt, ssid, level1Index, leafIndex) => {
    const rig = substreamRig({ fmt, cdPtr: CD_OF_5.level1 });
    rig.ram.write64(CD_OF_5.level1 + level1Index * 8, BigInt(CD_OF_5.leaf) | 1n);
    put(rig, CD_OF_5.leaf + leafIndex * 64, cd({ asid: 9 }));
    expect(rig.translate(1, VA, false, ssid)).toBe(PAGE + 0x789);
    expect(rig.model.locateCd(1, ssid)).toBe(CD_OF_5.leaf + leafIndex * 64);
    rig.ram.write64(CD_OF_5.level1 + level1Index * 8, 0n);
    rig.run([(1n << 32n) | (BigInt(ssid) << 12n) | 0x05n, 0n], SYNC);
    expect(rig.translate(1, VA, false, ssid)).toBe(-EVENT_NUMBER.C_BAD_SUBSTREAMID);
  });

  test('S1DSS: terminate, bypass, SSID0', () => {
    expect(substreamRig({ dss: STE_S1DSS.TERMINATE }).translate(1, VA, true)).toBe(-EVENT_NUMBER.F_STREAM_DISABLED);
    expect(substreamRig({ dss: STE_S1DSS.BYPASS }).translate(1, VA, true)).toBe(Number(VA));
    const rig = substreamRig({ dss: STE_S1DSS.SSID0 });
    expect(rig.translate(1, VA, true)).toBe(PAGE + 0x789);
    expect(rig.translate(1, VA, true, 0)).toBe(-EVENT_NUMBER.F_STREAM_DISABLED);
  });

  test('of a stream without stage 1, or on silicon without any, are C_BAD_SUBSTREAMID', () => {
    const rig = substreamRig({ config: STE_CONFIG.BYPASS });
    expect(rig.translate(1, VA, true, 1)).toBe(-EVENT_NUMBER.C_BAD_SUBSTREAMID);
    expect(stage1Rig().translate(1, VA, true, 1)).toBe(-EVENT_NUMBER.C_BAD_SUBSTREAMID);
  });
});

describe('stage 1', () => {
  test('a write of a read-only page is F_PERMISSION; with CD.R of 0 nothing is recorded', () => {
    const rig = stage1Rig();
    map(rig, TABLES1, 0x2000n, PAGE, RO_PAGE);
    expect(rig.translate(1, 0x2004n, false)).toBe(PAGE + 4);
    expect(rig.translate(1, 0x2004n, true)).toBe(-EVENT_NUMBER.F_PERMISSION);
    const words = recordWords(rig.events()[0]);
    expect([EVENT.RnW(words), EVENT.S2(words), EVENT.CLASS(words)]).toEqual([0, 0, EVENT_CLASS.IN]);
    expect([EVENT.InputAddrLow(words), EVENT.InputAddrHigh(words)]).toEqual([0x2004, 0]);
    put(rig, CDTAB, cd({ flags: 1n << 45n }));
    rig.invalidateAll();
    expect(rig.translate(1, 0x2004n, true)).toBe(-EVENT_NUMBER.F_PERMISSION);
    expect(rig.events()).toEqual([]);
  });

  test('TTB1 serves addresses of the upper half, which the contract takes as negative numbers', () => {
    const rig = stage1Rig();
    // EPD1 off, T1SZ 16, TG1 4 KiB; TTB1 in doubleword 2.
    const flags = (1n << 30n) | (16n << 16n) | (2n << 22n);
    put(rig, CDTAB, cd({ flags, high: BigInt(TABLES1 + 0x80_0000) }));
    map(rig, TABLES1 + 0x80_0000, 0xffff_ffff_f000n, PAGE);
    expect(rig.translate(1, 0xffff_ffff_ffff_f010n, true)).toBe(PAGE + 0x10);
    const by = { ...CPU, kind: 'device' as const, streamId: 1 };
    expect(rig.model.translate(by, -0xff0, true)).toBe(PAGE + 0x10);
    expect(rig.model.translate(by, Number(VA), true)).toBe(PAGE + 0x789);
    // Remembered now, and still no way round the sign extension.
    expect(rig.translate(1, 0xffff_ffff_ffff_f010n, true)).toBe(PAGE + 0x10);
    expect(rig.translate(1, 0x5aff_ffff_ffff_f010n, true)).toBe(-EVENT_NUMBER.F_TRANSLATION);
    expect(rig.translate(1, 0xfff0_ffff_ffff_f010n, true)).toBe(-EVENT_NUMBER.F_TRANSLATION);
  });

  test('PRIVCFG makes transactions privileged, INSTCFG reads of instructions', () => {
    const rig = stage1Rig(RICH);
    map(rig, TABLES1, 0x3000n, PAGE, 0xf03n);
    map(rig, TABLES1, 0x4000n, PAGE, (1n << 54n) | 0xf43n);
    expect(rig.translate(1, 0x3000n, false)).toBe(-EVENT_NUMBER.F_PERMISSION);
    put(rig, entry(1), ste({ config: STE_CONFIG.S1, dword1: 3n << 48n }));
    rig.invalidateAll();
    expect(rig.translate(1, 0x3000n, false)).toBe(PAGE);
    put(rig, entry(1), ste({ config: STE_CONFIG.S1, dword1: 3n << 50n }));
    rig.invalidateAll();
    expect(rig.translate(1, 0x4000n, false)).toBe(-EVENT_NUMBER.F_PERMISSION);
    expect(rig.translate(1, 0x4000n, true)).toBe(PAGE);
    const last = recordWords(rig.events().at(-1) ?? []);
    expect([EVENT.InD(last), EVENT.PnU(last)]).toEqual([1, 0]);
  });

  test('descriptors: V, out-of-range T0SZ and TTB, unsupported A and S are C_BAD_CD', () => {
    const flipped = [1n << 31n, 0x3fn, 1n << 44n, 1n << 46n, 1n << 41n, 1n << 43n, 1n << 15n];
    for (const flags of flipped) {
      const rig = stage1Rig();
      put(rig, CDTAB, cd({ flags }));
      expect([flags, rig.translate(1, VA, true)]).toEqual([flags, -EVENT_NUMBER.C_BAD_CD]);
    }
    const rig = stage1Rig();
    put(rig, CDTAB, cd({ ttb: 2 ** 44 }));
    expect(rig.translate(1, VA, true)).toBe(-EVENT_NUMBER.C_BAD_CD);
    put(rig, entry(1), ste({ config: STE_CONFIG.S1, cdPtr: 0x1000 }));
    rig.invalidateAll();
    expect(rig.translate(1, VA, true)).toBe(-EVENT_NUMBER.F_CD_FETCH);
  });
});

describe('both stages', () => {
  test('descriptor, tables and output go through stage 2; its faults say what for', () => {
    const rig = new SmmuRig({ silicon: NESTED });
    const shift = 0x8000_0000;
    put(rig, entry(1), ste({ config: STE_CONFIG.NESTED, cdPtr: CDTAB + shift, vmid: 3 }));
    put(rig, CDTAB, cd({ ttb: TABLES1 + shift }));
    map(rig, TABLES1, VA, PAGE + shift, 0xf43n, shift);
    mapStage2Block(rig, 0xc000_0000, 0x4000_0000);
    rig.start({ strtab: BigInt(STRTAB), cfg: LINEAR_64 });
    expect(rig.translate(1, VA, true)).toBe(PAGE + 0x789);
    expect(rig.model.locateCd(1)).toBe(CDTAB);

    rig.ram.write64(TABLES2 + 3 * 8, 0n);
    rig.invalidateAll();
    expect(rig.translate(1, VA, false)).toBe(-EVENT_NUMBER.F_TRANSLATION);
    const words = recordWords(rig.events()[0]);
    expect([EVENT.S2(words), EVENT.CLASS(words), EVENT.IPA(words)]).toEqual([1, EVENT_CLASS.CD, CDTAB + shift]);
    expect(rig.model.locateCd(1)).toBeUndefined();
    expect(rig.events()).toEqual([]);
  });

  test('STE.S2PTW refuses tables in device memory', () => {
    const rig = new SmmuRig({ silicon: NESTED });
    put(rig, entry(1), ste({ config: STE_CONFIG.NESTED, dword2: 1n << 54n }));
    put(rig, CDTAB, cd());
    map(rig, TABLES1, VA, PAGE);
    mapStage2Block(rig, 0x4000_0000, 0x4000_0000);
    rig.start({ strtab: BigInt(STRTAB), cfg: LINEAR_64 });
    expect(rig.translate(1, VA, true)).toBe(PAGE + 0x789);
    // MemAttr[3:2] of 0b00: device memory.
    rig.ram.write64(TABLES2 + 8, 0x4000_07c1n);
    rig.invalidateAll();
    expect(rig.translate(1, VA, true)).toBe(-EVENT_NUMBER.F_PERMISSION);
    const words = recordWords(rig.events()[0]);
    expect([EVENT.S2(words), EVENT.CLASS(words)]).toEqual([1, EVENT_CLASS.CD]);
  });
});

describe('what is remembered', () => {
  test('a changed descriptor counts from CMD_CFGI_CD on, a changed entry from CMD_CFGI_STE on', () => {
    const rig = stage1Rig();
    expect(rig.translate(1, VA, true)).toBe(PAGE + 0x789);
    const tables = TABLES1 + 0x40_0000;
    map(rig, tables, VA, PAGE + 0x1000);
    put(rig, CDTAB, cd({ ttb: tables, asid: 2 }));
    const { generation } = rig.model;
    rig.run([(1n << 32n) | 0x05n, 1n], SYNC);
    expect(rig.model.generation).not.toBe(generation);
    expect(rig.translate(1, VA, true)).toBe(PAGE + 0x1789);
    put(rig, entry(1), ste({ config: STE_CONFIG.BYPASS }));
    rig.run([(1n << 32n) | 0x03n, 1n], SYNC);
    expect(rig.translate(1, VA, true)).toBe(Number(VA));
  });

  test('CMD_CFGI_STE_RANGE covers an aligned range, with every substream', () => {
    const rig = stage1Rig(RICH);
    put(rig, entry(1), ste({ config: STE_CONFIG.S1, cdMax: 4, dss: STE_S1DSS.SSID0 }));
    put(rig, CDTAB + 64, cd());
    expect([rig.translate(1, VA, true), rig.translate(1, VA, true, 1)]).toEqual([PAGE + 0x789, PAGE + 0x789]);
    put(rig, entry(1), ste({ config: STE_CONFIG.ABORT }));
    rig.run([(3n << 32n) | 0x04n, 1n], SYNC);
    expect([rig.translate(1, VA, true), rig.translate(1, VA, true, 1)]).toEqual([ABORTED, ABORTED]);
  });

  test('global pages go with their address, whatever the ASID; VMIDs only by wildcard', () => {
    const rig = stage1Rig({ ...NESTED, IDR0: NESTED.IDR0 | regs.IDR0.VMW.mask });
    put(rig, entry(1), ste({ config: STE_CONFIG.S1, vmid: 6 }));
    map(rig, TABLES1, VA, PAGE, 0x743n);
    const changed = (): void => {
      rig.invalidateAll();
      map(rig, TABLES1, VA, PAGE, 0x743n);
      expect(rig.translate(1, VA, true)).toBe(PAGE + 0x789);
      map(rig, TABLES1, VA, PAGE + 0x1000, 0x743n);
    };
    changed();
    rig.run([(99n << 48n) | (6n << 32n) | 0x12n, VA & ~0xfffn], SYNC);
    expect(rig.translate(1, VA, true)).toBe(PAGE + 0x1789);
    changed();
    rig.write(regs.CR0, 0xd | (1 << 6));
    rig.run([(7n << 32n) | 0x10n, 0n], SYNC);
    expect(rig.translate(1, VA, true)).toBe(PAGE + 0x1789);
  });
});

describe('save and restore', () => {
  test('another model goes on where the first was', () => {
    const rig = stage1Rig();
    rig.translate(1, 0x9000n, true);
    const other = new SmmuRig({ dma: rig.ram });
    other.model.restore(structuredClone(rig.model.save()));
    expect(other.read(regs.CR0ACK)).toBe(0xd);
    expect(other.read(regs.EVENTQ_PROD)).toBe(1);
    expect(other.translate(1, VA, true)).toBe(PAGE + 0x789);
    expect(other.model.save()).toEqual(rig.model.save());
  });

  test('refuses another version, other silicon, another shape', () => {
    const rig = stage1Rig();
    const saved = rig.model.save();
    expect(() => rig.model.restore({ ...saved, version: 2 })).toThrow(LinuxError);
    expect(() => rig.model.restore({ ...saved, words: new Uint32Array(3) })).toThrow(/words.*\(EINVAL\)/);
    expect(() => new SmmuRig({ silicon: NESTED }).model.restore(saved)).toThrow(/other ID registers/);
  });
});
