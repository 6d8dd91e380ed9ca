// SPDX-License-Identifier: Apache-2.0
// Command numbers and fields as the figures of Arm IHI 0069, section 5.3, print them, doubleword by doubleword.
import { commands } from '@irqkit/gic-v3-its';
import type { Addr, Word } from '@irqkit/bits';

/** Every field of a command as `name DWd[hi:lo]`. */
function fields(command: object): string[] {
  return Object.entries(command)
    .filter((entry): entry is [string, Word | Addr] => typeof entry[1] === 'function')
    .map(([name, { hi, lo }]) => `${name} DW${lo >>> 6}[${hi & 63}:${lo & 63}]`);
}

const DEVICE = 'DeviceID DW0[63:32]';
const EVENT = 'EventID DW1[31:0]';
const ICID = 'ICID DW2[15:0]';
const RDBASE = 'RDbase DW2[51:16]';
const VPEID = 'vPEID DW1[47:32]';
const VALID = 'V DW2[63:63]';

describe('ITS commands', () => {
  test('are 32 bytes, with their number in bits [7:0]', () => {
    expect(commands.COMMAND_BYTES).toBe(32);
    expect(commands.commandNumber(Uint32Array.of(0xffff_ff08, 0, 0, 0, 0, 0, 0, 0))).toBe(0x08);
  });

  test.each([
    ['MOVI', 0x01, [DEVICE, EVENT, ICID]],
    ['INT', 0x03, [DEVICE, EVENT]],
    ['CLEAR', 0x04, [DEVICE, EVENT]],
    ['SYNC', 0x05, [RDBASE]],
    ['MAPD', 0x08, [DEVICE, 'Size DW1[4:0]', 'ITT_addr DW2[51:8]', VALID]],
    ['MAPC', 0x09, [ICID, RDBASE, VALID]],
    ['MAPTI', 0x0a, [DEVICE, EVENT, 'pINTID DW1[63:32]', ICID]],
    ['MAPI', 0x0b, [DEVICE, EVENT, ICID]],
    ['INV', 0x0c, [DEVICE, EVENT]],
    ['INVALL', 0x0d, [ICID]],
    ['MOVALL', 0x0e, ['RDbase1 DW2[51:16]', 'RDbase2 DW3[51:16]']],
    ['DISCARD', 0x0f, [DEVICE, EVENT]],
    ['VMOVI', 0x21, [DEVICE, EVENT, VPEID, 'D DW2[0:0]', 'Dbell_pINTID DW2[63:32]']],
    [
      'VMOVP',
      0x22,
      [
        'Sequence_Number DW0[47:32]',
        'ITSList DW1[15:0]',
        VPEID,
        RDBASE,
        'DB DW2[63:63]',
        'Default_Doorbell_pINTID DW3[31:0]',
      ],
    ],
    ['VSGI', 0x23, ['E DW0[8:8]', 'C DW0[9:9]', 'G DW0[10:10]', 'Priority DW0[23:20]', 'vINTID DW0[35:32]', VPEID]],
    ['VSYNC', 0x25, [VPEID]],
    [
      'VMAPP',
      0x29,
      [
        'Alloc DW0[8:8]',
        'PTZ DW0[9:9]',
        'VCONF_addr DW0[51:16]',
        'Default_Doorbell_pINTID DW1[31:0]',
        VPEID,
        RDBASE,
        VALID,
        'VPT_size DW3[4:0]',
        'VPT_addr DW3[51:16]',
      ],
    ],
    ['VMAPTI', 0x2a, [DEVICE, EVENT, VPEID, 'vINTID DW2[31:0]', 'Dbell_pINTID DW2[63:32]']],
    ['VMAPI', 0x2b, [DEVICE, EVENT, VPEID, 'Dbell_pINTID DW2[63:32]']],
    ['VINVALL', 0x2d, [VPEID]],
    ['INVDB', 0x2e, [VPEID]],
  ] as const)('%s is number %d with its fields', (name, number, expected) => {
    expect(commands[name].number).toBe(number);
    expect(fields(commands[name])).toEqual(expected);
    expect(commands.COMMAND_NAMES[number]).toBe(name);
  });

  test('no other number has a name', () => {
    expect(Object.keys(commands.COMMAND_NAMES)).toHaveLength(21);
  });

  // The first commands of replay/D (shared data), by QEMU's decode: MAPC of collection 1 to processor 1, MAPD of device 8
  // with 2 events at 0x482e7e00, MAPTI of event 0 of device 56 to LPI 8193 and collection 1.
  test('decode as Linux encodes them', () => {
    const { MAPC, MAPD, MAPTI } = commands;
    const mapc = Uint32Array.of(0x09, 0, 0, 0, 0x0001_0001, 0x8000_0000, 0, 0);
    expect([MAPC.ICID(mapc), MAPC.RDbase(mapc), MAPC.V(mapc)]).toEqual([1, 0x1_0000, 1]);
    const mapd = Uint32Array.of(0x08, 8, 0, 0, 0x482e_7e00, 0x8000_0000, 0, 0);
    expect([MAPD.DeviceID(mapd), MAPD.Size(mapd), MAPD.ITT_addr(mapd), MAPD.V(mapd)]).toEqual([8, 0, 0x482e_7e00, 1]);
    const mapti = Uint32Array.of(0x0a, 56, 0, 8193, 1, 0, 0, 0);
    expect([MAPTI.DeviceID(mapti), MAPTI.EventID(mapti), MAPTI.pINTID(mapti), MAPTI.ICID(mapti)]).toEqual([
      56, 0, 8193, 1,
    ]);
  });
});
