// SPDX-License-Identifier: Apache-2.0
// Offsets and bit ranges as the tables of Arm IHI 0069, "The ITS register descriptions", print them.
import { regs } from '@irqkit/gic-v3-its';
import type { Addr, Field, Word } from '@irqkit/bits';

type Ranged = Field | Word | Addr;

/** Every field of a register as `name [hi:lo]`. */
function ranges(register: object): string[] {
  return Object.entries(register)
    .filter((entry): entry is [string, Ranged] => typeof entry[1] === 'function')
    .map(([name, { hi, lo }]) => `${name} [${hi}:${lo}]`)
    .sort();
}

describe('GITS registers', () => {
  test('stand at the offsets of the ITS register map', () => {
    const all: Readonly<Record<string, unknown>> = regs;
    const offsets = Object.entries(all).flatMap(([name, register]) =>
      typeof register === 'object' && register !== null && 'offset' in register
        ? [[name, register.offset] as const]
        : [],
    );
    expect(Object.fromEntries(offsets)).toEqual({
      GITS_CTLR: 0x0000,
      GITS_IIDR: 0x0004,
      GITS_TYPER: 0x0008,
      GITS_MPAMIDR: 0x0010,
      GITS_PARTIDR: 0x0014,
      GITS_MPIDR: 0x0018,
      GITS_STATUSR: 0x0040,
      GITS_UMSIR: 0x0048,
      GITS_CBASER: 0x0080,
      GITS_CWRITER: 0x0088,
      GITS_CREADR: 0x0090,
      GITS_BASER: 0x0100,
      GITS_PIDR4: 0xffd0,
      GITS_PIDR0: 0xffe0,
      GITS_PIDR2: 0xffe8,
      GITS_CIDR0: 0xfff0,
      GITS_TRANSLATER: 0x1_0040,
    });
    expect(regs.GITS_BASER).toMatchObject({ stride: 8, count: 8 });
    expect(regs.ITS_FRAME_BYTES).toBe(0x1_0000);
  });

  test.each([
    ['GITS_CTLR', ['Enabled [0:0]', 'ITS_Number [7:4]', 'ImDe [1:1]', 'Quiescent [31:31]', 'UMSIirq [8:8]']],
    ['GITS_IIDR', ['Implementer [11:0]', 'ProductID [31:24]', 'Revision [15:12]', 'Variant [19:16]']],
    [
      'GITS_TYPER',
      [
        'CCT [2:2]',
        'CIDbits [35:32]',
        'CIL [36:36]',
        'Devbits [17:13]',
        'HCC [31:24]',
        'ID_bits [12:8]',
        'INV [46:46]',
        'ITT_entry_size [7:4]',
        'MPAM [38:38]',
        'PTA [19:19]',
        'Physical [0:0]',
        'SEIS [18:18]',
        'SVPET [42:41]',
        'UMSI [44:44]',
        'UMSIirq [45:45]',
        'VMAPP [40:40]',
        'VMOVP [37:37]',
        'VSGI [39:39]',
        'Virtual [1:1]',
        'nID [43:43]',
      ],
    ],
    ['GITS_STATUSR', ['Overflow [5:5]', 'RRD [0:0]', 'RWOD [2:2]', 'Syndrome [4:4]', 'WRD [1:1]', 'WROD [3:3]']],
    ['GITS_UMSIR', ['DeviceID [63:32]', 'EventID [31:0]']],
    [
      'GITS_CBASER',
      [
        'InnerCache [61:59]',
        'OuterCache [55:53]',
        'Physical_Address [51:12]',
        'Shareability [11:10]',
        'Size [7:0]',
        'Valid [63:63]',
      ],
    ],
    ['GITS_CWRITER', ['Offset [19:5]', 'Retry [0:0]']],
    ['GITS_CREADR', ['Offset [19:5]', 'Stalled [0:0]']],
    [
      'GITS_BASER',
      [
        'Entry_Size [52:48]',
        'Indirect [62:62]',
        'InnerCache [61:59]',
        'OuterCache [55:53]',
        'Page_Size [9:8]',
        'Physical_Address [47:12]',
        'Shareability [11:10]',
        'Size [7:0]',
        'Type [58:56]',
        'Valid [63:63]',
      ],
    ],
    ['GITS_PIDR2', ['ArchRev [7:4]']],
    ['GITS_TRANSLATER', ['EventID [31:0]']],
    ['LEVEL1_ENTRY', ['Physical_Address [51:12]', 'Valid [63:63]']],
  ] as const)('%s has its fields', (name, fields) => {
    expect(ranges(regs[name])).toEqual(fields);
  });

  test('values are the encodings of the manual', () => {
    expect(regs.GITS_BASER_TYPE).toEqual({ NONE: 0, DEVICES: 1, VPES: 2, COLLECTIONS: 4 });
    expect(regs.GITS_PAGE_SIZE).toEqual({ KIB4: 0, KIB16: 1, KIB64: 2 });
    expect(regs.GITS_PAGE_BYTES).toEqual([4096, 16384, 65536, 65536]);
    expect(regs.GITS_SHAREABILITY).toEqual({ NON: 0, INNER: 1, OUTER: 2 });
    expect(regs.GITS_CACHE).toEqual({ NON_CACHEABLE: 1, READ_WRITE_ALLOCATE_WRITE_BACK: 7 });
    expect(regs.FIRST_LPI).toBe(8192);
  });
});

describe('the address of a table', () => {
  // As Linux 6.1 wrote GITS_BASER0 of a QEMU 7.2 virt (shared data, replay/D).
  const RECORDED = [0x4259_0600, 0xf907_0000] as const;

  test('is bits [47:16] where pages are of 64 KiB', () => {
    expect(regs.tableAddress(Uint32Array.from(RECORDED))).toBe(0x4259_0000);
  });

  test('has bits [51:48] at [15:12] where pages are of 64 KiB', () => {
    expect(regs.tableAddress(Uint32Array.of(0x0001_a200, 0x8107_0000))).toBe(0xa_0000_0001_0000);
    const words = Uint32Array.of(0x200, 0);
    regs.putTableAddress(words, 0xa_0000_0001_0000);
    expect([...words]).toEqual([0x0001_a200, 0]);
  });

  test('is bits [47:12] and [47:14] in smaller pages', () => {
    expect(regs.tableAddress(Uint32Array.of(0x4259_7000, 0x8107_1234))).toBe(0x1234_4259_7000);
    expect(regs.tableAddress(Uint32Array.of(0x4259_7100, 0x8107_1234))).toBe(0x1234_4259_4000);
    const words = Uint32Array.of(0x0ff, 0x8107_0000);
    regs.putTableAddress(words, 0x1234_4259_7000);
    expect([...words]).toEqual([0x4259_70ff, 0x8107_1234]);
  });
});
