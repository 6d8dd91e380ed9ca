// SPDX-License-Identifier: Apache-2.0
// Offsets and bit ranges as Arm IHI 0070 prints them, in chapter 6 for registers, 5.1 to 5.4 and 7.3 for structures and chapter 4
// for commands; addresses end at bit 51, as in SMMUv3.1 to SMMUv3.3. What Linux and QEMU exchange is in the replay data.

import { readFileSync } from 'node:fs';
import { commands, layouts, regs } from '@irqkit/smmu-v3';
import { describeWithShared, sharedPath } from '@irqkit-test/env';
import { SmmuRig } from './smmu-rig.js';

type Ranged = { readonly hi: number; readonly lo: number };

/** Every field of a register or structure as the manual's `name hi:lo`, lowest first. */
function rangesOf(declaration: object): string {
  return Object.entries(declaration)
    .filter((entry): entry is [string, Ranged] => typeof entry[1] === 'function')
    .sort(([, a], [, b]) => a.lo - b.lo || a.hi - b.hi)
    .map(([name, { hi, lo }]) => (hi === lo ? `${name} ${hi}` : `${name} ${hi}:${lo}`))
    .join(', ');
}

const REGISTERS: readonly (readonly [string, number, string])[] = [
  [
    'IDR0',
    0x000,
    'S2P 0, S1P 1, TTF 3:2, COHACC 4, BTM 5, HTTU 7:6, DORMHINT 8, Hyp 9, ATS 10, NS1ATS 11, ASID16 12, MSI 13, SEV 14, ATOS 15, PRI 16, VMW 17, VMID16 18, CD2L 19, VATOS 20, TTENDIAN 22:21, ATSRECERR 23, STALL_MODEL 25:24, TERM_MODEL 26, ST_LEVEL 28:27',
  ],
  [
    'IDR1',
    0x004,
    'SIDSIZE 5:0, SSIDSIZE 10:6, PRIQS 15:11, EVENTQS 20:16, CMDQS 25:21, ATTR_PERMS_OVR 26, ATTR_TYPES_OVR 27, REL 28, QUEUES_PRESET 29, TABLES_PRESET 30, ECMDQ 31',
  ],
  ['IDR2', 0x008, 'BA_VATOS 9:0'],
  ['IDR3', 0x00c, 'HAD 2, PBHA 3, XNX 4, PPS 5, MPAM 7, FWB 8, STT 9, RIL 10, BBML 12:11'],
  ['IDR4', 0x010, ''],
  ['IDR5', 0x014, 'OAS 2:0, GRAN4K 4, GRAN16K 5, GRAN64K 6, VAX 11:10, STALL_MAX 31:16'],
  ['IIDR', 0x018, 'Implementer 11:0, Revision 15:12, Variant 19:16, ProductID 31:20'],
  ['AIDR', 0x01c, 'ArchMinorRev 3:0, ArchMajorRev 7:4'],
  ['CR0', 0x020, 'SMMUEN 0, PRIQEN 1, EVENTQEN 2, CMDQEN 3, ATSCHK 4, VMW 8:6'],
  ['CR0ACK', 0x024, 'SMMUEN 0, PRIQEN 1, EVENTQEN 2, CMDQEN 3, ATSCHK 4, VMW 8:6'],
  ['CR1', 0x028, 'QUEUE_IC 1:0, QUEUE_OC 3:2, QUEUE_SH 5:4, TABLE_IC 7:6, TABLE_OC 9:8, TABLE_SH 11:10'],
  ['CR2', 0x02c, 'E2H 0, RECINVSID 1, PTM 2'],
  ['STATUSR', 0x040, 'DORMANT 0'],
  [
    'GBPA',
    0x044,
    'MemAttr 3:0, MTCFG 4, ALLOCCFG 11:8, SHCFG 13:12, PRIVCFG 17:16, INSTCFG 19:18, ABORT 20, Update 31',
  ],
  ['AGBPA', 0x048, ''],
  ['IRQ_CTRL', 0x050, 'GERROR_IRQEN 0, PRIQ_IRQEN 1, EVENTQ_IRQEN 2'],
  ['IRQ_CTRLACK', 0x054, 'GERROR_IRQEN 0, PRIQ_IRQEN 1, EVENTQ_IRQEN 2'],
  [
    'GERROR',
    0x060,
    'CMDQ_ERR 0, EVENTQ_ABT_ERR 2, PRIQ_ABT_ERR 3, MSI_CMDQ_ABT_ERR 4, MSI_EVENTQ_ABT_ERR 5, MSI_PRIQ_ABT_ERR 6, MSI_GERROR_ABT_ERR 7, SFM_ERR 8',
  ],
  [
    'GERRORN',
    0x064,
    'CMDQ_ERR 0, EVENTQ_ABT_ERR 2, PRIQ_ABT_ERR 3, MSI_CMDQ_ABT_ERR 4, MSI_EVENTQ_ABT_ERR 5, MSI_PRIQ_ABT_ERR 6, MSI_GERROR_ABT_ERR 7, SFM_ERR 8',
  ],
  ['GERROR_IRQ_CFG0', 0x068, 'ADDR 51:2'],
  ['GERROR_IRQ_CFG1', 0x070, 'DATA 31:0'],
  ['GERROR_IRQ_CFG2', 0x074, 'MemAttr 3:0, SH 5:4'],
  ['STRTAB_BASE', 0x080, 'ADDR 51:6, RA 62'],
  ['STRTAB_BASE_CFG', 0x088, 'LOG2SIZE 5:0, SPLIT 10:6, FMT 17:16'],
  ['CMDQ_BASE', 0x090, 'LOG2SIZE 4:0, ADDR 51:5, RA 62'],
  ['CMDQ_PROD', 0x098, 'WR 19:0'],
  ['CMDQ_CONS', 0x09c, 'RD 19:0, ERR 30:24'],
  ['EVENTQ_BASE', 0x0a0, 'LOG2SIZE 4:0, ADDR 51:5, WA 62'],
  ['EVENTQ_IRQ_CFG0', 0x0b0, 'ADDR 51:2'],
  ['EVENTQ_IRQ_CFG1', 0x0b8, 'DATA 31:0'],
  ['EVENTQ_IRQ_CFG2', 0x0bc, 'MemAttr 3:0, SH 5:4'],
  ['PRIQ_BASE', 0x0c0, 'LOG2SIZE 4:0, ADDR 51:5, WA 62'],
  ['PRIQ_IRQ_CFG0', 0x0d0, 'ADDR 51:2'],
  ['PRIQ_IRQ_CFG1', 0x0d8, 'DATA 31:0'],
  ['PRIQ_IRQ_CFG2', 0x0dc, 'MemAttr 3:0, SH 5:4, LO 31'],
  ['EVENTQ_PROD', 0x100a8, 'WR 19:0, OVFLG 31'],
  ['EVENTQ_CONS', 0x100ac, 'RD 19:0, OVACKFLG 31'],
  ['PRIQ_PROD', 0x100c8, 'WR 19:0, OVFLG 31'],
  ['PRIQ_CONS', 0x100cc, 'RD 19:0, OVACKFLG 31'],
];

describe('registers', () => {
  const all: Readonly<Record<string, unknown>> = regs;

  test.each(REGISTERS)('%s', (name, offset, ranges) => {
    const register = all[name] as { readonly offset: number };
    expect(register.offset).toBe(offset);
    expect(rangesOf(register)).toBe(ranges);
  });

  test('are all pinned, and fill two pages of 64 KiB', () => {
    const declared = Object.entries(all).flatMap(([name, value]) =>
      typeof value === 'object' && value !== null && 'offset' in value ? [name] : [],
    );
    expect(declared.sort()).toEqual([...REGISTERS.map(([name]) => name), 'PIDR4'].sort());
    expect([regs.PIDR4.offset, regs.PAGE_1, regs.SMMU_FRAME_BYTES]).toEqual([0xfd0, 0x1_0000, 0x2_0000]);
  });

  test('values of fields', () => {
    expect(regs.ADDRESS_SIZE_BITS).toEqual([32, 36, 40, 42, 44, 48, 52, 52]);
    expect(regs.CERROR).toEqual({ NONE: 0, ILL: 1, ABT: 2, ATC_INV_SYNC: 3 });
    expect(regs.STRTAB_SPLIT).toEqual([6, 8, 10]);
    expect(regs.STRTAB_FMT).toEqual({ LINEAR: 0, TWO_LEVEL: 1 });
  });
});

describe('structures', () => {
  test('STE', () => {
    expect(rangesOf(layouts.STE)).toBe(
      'V 0, Config 3:1, S1Fmt 5:4, S1ContextPtr 51:6, S1CDMax 63:59, S1DSS 65:64, S1CIR 67:66, S1COR 69:68, S1CSH 71:70, CONT 80:77, MEV 83, S2FWB 89, S1MPAM 90, S1STALLD 91, EATS 93:92, STRW 95:94, MemAttr 99:96, MTCFG 100, ALLOCCFG 104:101, SHCFG 109:108, NSCFG 111:110, PRIVCFG 113:112, INSTCFG 115:114, S2VMID 143:128, S2T0SZ 165:160, S2SL0 167:166, S2IR0 169:168, S2OR0 171:170, S2SH0 173:172, S2TG 175:174, S2PS 178:176, S2AA64 179, S2ENDI 180, S2AFFD 181, S2PTW 182, S2HD 183, S2HA 184, S2S 185, S2R 186, S2TTB 243:196',
    );
    expect(layouts.STE.bytes).toBe(64);
  });

  test('CD', () => {
    expect(rangesOf(layouts.CD)).toBe(
      'T0SZ 5:0, TG0 7:6, IR0 9:8, OR0 11:10, SH0 13:12, EPD0 14, ENDI 15, T1SZ 21:16, TG1 23:22, IR1 25:24, OR1 27:26, SH1 29:28, EPD1 30, V 31, IPS 34:32, AFFD 35, WXN 36, UWXN 37, TBI0 38, TBI1 39, PAN 40, AA64 41, HD 42, HA 43, S 44, R 45, A 46, ASET 47, ASID 63:48, HAD0 65, TTB0 115:68, HAD1 129, TTB1 179:132, MAIR0 223:192, MAIR1 255:224, AMAIR0 287:256, AMAIR1 319:288',
    );
    expect(layouts.CD.bytes).toBe(64);
  });

  test('level 1 descriptors', () => {
    expect([layouts.L1STD.bytes, rangesOf(layouts.L1STD)]).toEqual([8, 'Span 4:0, L2Ptr 51:6']);
    expect([layouts.L1CD.bytes, rangesOf(layouts.L1CD)]).toEqual([8, 'V 0, L2Ptr 51:12']);
  });

  test('event records', () => {
    expect(layouts.EVENT.bytes).toBe(32);
    expect(rangesOf(layouts.EVENT)).toBe(
      'number 7:0, SSV 11, SubstreamID 31:12, StreamID 63:32, STAG 79:64, Stall 95, PnU 97, InD 98, RnW 99, NSIPA 100, S2 103, ' +
        'CLASS 105:104, TTRnW 108, InputAddrLow 159:128, InputAddrHigh 191:160, FetchAddr 243:195, IPA 243:204',
    );
    expect(layouts.EVENT_NUMBER).toEqual({
      F_UUT: 0x01,
      C_BAD_STREAMID: 0x02,
      F_STE_FETCH: 0x03,
      C_BAD_STE: 0x04,
      F_BAD_ATS_TREQ: 0x05,
      F_STREAM_DISABLED: 0x06,
      F_TRANSL_FORBIDDEN: 0x07,
      C_BAD_SUBSTREAMID: 0x08,
      F_CD_FETCH: 0x09,
      C_BAD_CD: 0x0a,
      F_WALK_EABT: 0x0b,
      F_TRANSLATION: 0x10,
      F_ADDR_SIZE: 0x11,
      F_ACCESS: 0x12,
      F_PERMISSION: 0x13,
      F_TLB_CONFLICT: 0x20,
      F_CFG_CONFLICT: 0x21,
      E_PAGE_REQUEST: 0x24,
      F_VMS_FETCH: 0x25,
    });
    expect(layouts.EVENT_CLASS).toEqual({ CD: 0, TT: 1, IN: 2 });
    expect(layouts.EVENT_NAMES[0x13]).toBe('F_PERMISSION');
  });

  test('values of fields', () => {
    expect(layouts.STE_CONFIG).toEqual({ ABORT: 0, BYPASS: 4, S1: 5, S2: 6, NESTED: 7 });
    expect(layouts.STE_S1FMT).toEqual({ LINEAR: 0, TWO_LEVEL_4K: 1, TWO_LEVEL_64K: 2 });
    expect(layouts.STE_S1DSS).toEqual({ TERMINATE: 0, BYPASS: 1, SSID0: 2 });
    expect(layouts.TG0_LOG2).toEqual([12, 16, 14, 0]);
    expect(layouts.TG1_LOG2).toEqual([0, 14, 12, 16]);
  });
});

describe('commands', () => {
  const range = 'NUM 16:12, SCALE 25:20, ';
  const address = 'Leaf 64, TTL 73:72, TG 75:74, Address 115:76, AddressHigh 127:96';

  test.each([
    ['CMD_PREFETCH_CONFIG', 0x01, 'SSec 10, SSV 11, SubstreamID 31:12, StreamID 63:32'],
    [
      'CMD_PREFETCH_ADDR',
      0x02,
      'SSec 10, SSV 11, SubstreamID 31:12, StreamID 63:32, Size 68:64, Address 115:76, AddressHigh 127:96',
    ],
    ['CMD_CFGI_STE', 0x03, 'SSec 10, StreamID 63:32, Leaf 64'],
    ['CMD_CFGI_STE_RANGE', 0x04, 'SSec 10, StreamID 63:32, Range 68:64'],
    ['CMD_CFGI_CD', 0x05, 'SSec 10, SubstreamID 31:12, StreamID 63:32, Leaf 64'],
    ['CMD_CFGI_CD_ALL', 0x06, 'SSec 10, StreamID 63:32'],
    ['CMD_CFGI_VMS_PIDM', 0x07, 'SSec 10, VMID 47:32'],
    ['CMD_TLBI_NH_ALL', 0x10, 'VMID 47:32'],
    ['CMD_TLBI_NH_ASID', 0x11, 'VMID 47:32, ASID 63:48'],
    ['CMD_TLBI_NH_VA', 0x12, `${range}VMID 47:32, ASID 63:48, ${address}`],
    ['CMD_TLBI_NH_VAA', 0x13, `${range}VMID 47:32, ${address}`],
    ['CMD_TLBI_EL3_ALL', 0x18, ''],
    ['CMD_TLBI_EL3_VA', 0x1a, ''],
    ['CMD_TLBI_EL2_ALL', 0x20, ''],
    ['CMD_TLBI_EL2_ASID', 0x21, 'ASID 63:48'],
    ['CMD_TLBI_EL2_VA', 0x22, `${range}ASID 63:48, ${address}`],
    ['CMD_TLBI_EL2_VAA', 0x23, `${range}${address}`],
    ['CMD_TLBI_S12_VMALL', 0x28, 'VMID 47:32'],
    ['CMD_TLBI_S2_IPA', 0x2a, `${range}VMID 47:32, ${address}`],
    ['CMD_TLBI_NSNH_ALL', 0x30, ''],
    [
      'CMD_ATC_INV',
      0x40,
      'Global 9, SSec 10, SSV 11, SubstreamID 31:12, StreamID 63:32, Size 69:64, Address 115:76, AddressHigh 127:96',
    ],
    ['CMD_PRI_RESP', 0x41, 'SSec 10, SSV 11, SubstreamID 31:12, StreamID 63:32, PRGIndex 72:64, Resp 77:76'],
    ['CMD_RESUME', 0x44, 'SSec 10, Ac 12, Ab 13, StreamID 63:32, STAG 79:64'],
    ['CMD_STALL_TERM', 0x45, 'SSec 10, StreamID 63:32'],
    ['CMD_SYNC', 0x46, 'CS 13:12, MSH 23:22, MSIAttr 27:24, MSIData 63:32, MSIAddress 115:66'],
    ['CMD_TLBI_SNH_ALL', 0x60, ''],
  ])('%s', (name, opcode, ranges) => {
    const command = (commands as Readonly<Record<string, unknown>>)[name] as { readonly opcode: number };
    expect(command.opcode).toBe(opcode);
    expect(rangesOf(command)).toBe(ranges);
    expect(commands.COMMAND_NAMES[opcode]).toBe(name);
  });

  test('take 16 bytes', () => {
    expect([commands.COMMAND_BYTES, commands.commandOpcode.hi, commands.commandOpcode.lo]).toEqual([16, 7, 0]);
    expect(commands.TLBI_TG_LOG2).toEqual([0, 12, 14, 16]);
  });
});

interface Access {
  readonly op: 'r' | 'w';
  readonly region: string;
  readonly off: string;
  readonly size: number;
  readonly val: string;
}

describeWithShared("Linux's accesses", () => {
  test.each(['A', 'A-s2', 'A-vfio'])('%s: what QEMU answered until the queues moved, the model answers', (capture) => {
    const accesses = readFileSync(sharedPath('data', 'replay', capture, 'mmio.jsonl'), 'utf8')
      .split('\n')
      .filter((line) => line.includes('"smmu"'))
      .map((line) => JSON.parse(line) as Access);
    const rig = new SmmuRig({ silicon: { ...(capture === 'A-s2' && { IDR0: 0x0d44_1019, IDR3: 0x1414 }) } });
    const untilCommands = accesses.slice(
      0,
      accesses.findIndex(({ op, off, val }) => op === 'w' && Number(off) === 0x98 && Number(val) !== 0),
    );
    for (const { op, off, size, val } of untilCommands) {
      const register = { offset: Number(off) };
      if (op === 'w' && size === 8) rig.write64(register, BigInt(val));
      else if (op === 'w') rig.write(register, Number(val));
      else expect([off, rig.read(register)]).toEqual([off, Number(val)]);
    }
    expect(untilCommands.length).toBeGreaterThan(12);
    expect(rig.guest).toEqual([]);
  });
});
