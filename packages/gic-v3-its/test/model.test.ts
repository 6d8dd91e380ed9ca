// SPDX-License-Identifier: Apache-2.0
import { ItsModel, KVM_LAYOUT_SILICON, VIRT_SILICON } from '@irqkit/gic-v3-its';
import type { InterruptControllerModel } from '@irqkit/core';
import { COLLECTION_TABLE, CPU, DEVICE_TABLE, ItsRig, LEVEL2, QUEUE, command, device, itt } from './its-rig.js';

/** Device 8 with 32 events, of which event 3 is LPI 8200 in collection 1, on processor 2. */
function mapped(rig: ItsRig): ItsRig {
  rig.send(
    command('MAPC', { ICID: 1, RDbase: 2, V: 1 }),
    command('MAPD', { DeviceID: 8, Size: 4, ITT_addr: itt(0), V: 1 }),
    command('MAPTI', { DeviceID: 8, EventID: 3, pINTID: 8200, ICID: 1 }),
    command('SYNC', { RDbase: 2 }),
  );
  return rig;
}

describe('registers after reset', () => {
  test('read as QEMU 7.2 with entries of 8 bytes', () => {
    const rig = new ItsRig();
    expect(rig.read(0x0)).toBe(0x8000_0000);
    expect(rig.read(0x4)).toBe(0x43b);
    expect(rig.read64(0x8)).toBe(0x1f_0001_ef71n);
    expect(rig.read64(0x80)).toBe(0n);
    expect(rig.read64(0x100)).toBe(0x0107_0000_0000_0000n);
    expect(rig.read64(0x108)).toBe(0x0407_0000_0000_0000n);
    for (let n = 2; n < 8; n++) expect(rig.read64(0x100 + n * 8)).toBe(0n);
    expect(rig.read(0xffe8)).toBe(0x3b);
    expect([0xffd0, 0xffe0, 0xffe4, 0xfff0, 0xfffc].map((offset) => rig.read(offset))).toEqual([
      0x44, 0x94, 0xb4, 0x0d, 0xb1,
    ]);
    expect(rig.read(0x1_0040)).toBe(0);
  });

  test('are what silicon says', () => {
    const silicon = { ...VIRT_SILICON, GITS_IIDR: 0x0201_743b, GITS_PIDR2: 0x4b, GITS_BASER2: 0x0207_0000_0000_0000 };
    const rig = new ItsRig({ silicon });
    expect(rig.read(0x4)).toBe(0x0201_743b);
    expect(rig.read64(0x8)).toBe(0x1f_0001_efb1n);
    expect(rig.read64(0x110)).toBe(0x0207_0000_0000_0000n);
    expect(rig.read(0xffe8)).toBe(0x4b);
  });

  test.each([
    ['ITEs of 16 bytes', { GITS_TYPER: 0x1_ffff_eff1 }, /no table layout has ITEs of 16 bytes \(EINVAL\)/],
    ['device entries of 16 bytes', { GITS_BASER0: 0x010f_0000_0000_0000 }, /GITS_BASER0: .* entries of 8 bytes/],
    ['collection entries of 4 bytes', { GITS_BASER1: 0x0403_0000_0000_0000 }, /GITS_BASER1: .* entries of 8 bytes/],
  ])('no layout for %s: EINVAL', (_, silicon, message) => {
    expect(() => new ItsRig({ silicon })).toThrow(message);
  });

  test('a parent without redistributors: ENODEV', () => {
    const { model, ram } = new ItsRig();
    expect(model.frames).toHaveLength(1);
    const log = { guest: () => undefined, unimp: () => undefined };
    const node = { path: '/its', u32s: () => undefined } as never;
    expect(() => new ItsModel(node, {}, ram, {} as InterruptControllerModel, log)).toThrow(/^\/its: .* \(ENODEV\)$/);
  });

  test.each([
    ['Virtual', 0x1f_0001_ef73],
    ['SEIS', 0x1f_0005_ef71],
    ['UMSI', 0x101f_0001_ef71],
  ])('GITS_TYPER.%s is reported as not built', (name, typer) => {
    expect(new ItsRig({ silicon: { GITS_TYPER: typer } }).unimplemented).toEqual([
      expect.stringContaining(`GITS_TYPER.${name}`),
    ]);
  });
});

describe('GITS_BASER<n>', () => {
  // The writes and reads of Linux 6.1 on QEMU 7.2 (shared data, replay/D).
  test('keeps Type and Entry_Size', () => {
    const rig = new ItsRig({ silicon: VIRT_SILICON });
    rig.write64(0x100, 0x0107_0000_0000_0200n);
    expect(rig.read64(0x100)).toBe(0x0107_0000_0000_0200n);
    rig.write64(0x100, 0x7800_0000_0000_0400n);
    expect(rig.read64(0x100)).toBe(0x7907_0000_0000_0400n);
    rig.write64(0x100, 0xf907_0000_4259_0600n);
    expect(rig.read64(0x100)).toBe(0xf907_0000_4259_0600n);
  });

  test('takes its halves one by one', () => {
    const rig = new ItsRig();
    rig.write(0x104, 0xffff_ffff);
    expect(rig.read64(0x100)).toBe(0xf9e7_ffff_0000_0000n);
    rig.write(0x100, 0xffff_ffff);
    expect(rig.read64(0x100)).toBe(0xf9e7_ffff_ffff_ffffn);
  });

  test('of a table the ITS does not have is RES0', () => {
    const rig = new ItsRig();
    rig.write64(0x110, 0xffff_ffff_ffff_ffffn);
    expect(rig.read64(0x110)).toBe(0n);
  });

  test('has one page size, flat tables and no shareability where silicon says so', () => {
    const rig = new ItsRig({ silicon: { ...VIRT_SILICON, Page_Size: 1, Indirect: 0, Shareability: 0 } });
    rig.write64(0x100, 0xffff_ffff_ffff_ffffn);
    expect(rig.read64(0x100)).toBe(0xb9e7_ffff_ffff_f1ffn);
    rig.write64(0x80, 0xffff_ffff_ffff_ffffn);
    expect(rig.read64(0x80)).toBe(0xb8ef_ffff_ffff_00ffn);
  });

  test("of a list of collections, KVM's, has no second level", () => {
    const rig = new ItsRig();
    rig.write64(0x108, 1n << 62n);
    expect(rig.read64(0x108)).toBe(0x0407_0000_0000_0000n);
    const indexed = new ItsRig({ silicon: VIRT_SILICON });
    indexed.write64(0x108, 1n << 62n);
    expect(indexed.read64(0x108)).toBe(0x4407_0000_0000_0000n);
  });

  test('and GITS_CBASER ignore writes while the ITS is enabled', () => {
    const rig = new ItsRig().enable();
    const before = [rig.read64(0x100), rig.read64(0x80)];
    rig.write64(0x100, 0n);
    rig.write64(0x80, 0n);
    expect([rig.read64(0x100), rig.read64(0x80)]).toEqual(before);
    expect(rig.guestErrors).toEqual([
      'GITS_BASER written while GITS_CTLR.Enabled is 1',
      'GITS_CBASER written while GITS_CTLR.Enabled is 1',
    ]);
  });
});

describe('accesses', () => {
  test('of other widths, and to what is read-only, go nowhere', () => {
    const rig = new ItsRig();
    expect(rig.frame.read(0x8, 1, CPU)).toBe(0);
    expect(rig.frame.read(0xa, 2, CPU)).toBe(0);
    rig.frame.write(0x100, 0xff, 1, CPU);
    rig.write(0x8, 0);
    rig.write(0x4, 0);
    expect(rig.read64(0x100)).toBe(0x0107_0000_0000_0000n);
    expect(rig.read64(0x8)).toBe(0x1f_0001_ef71n);
    expect(rig.guestErrors).toHaveLength(5);
  });
});

describe('the command queue', () => {
  test('runs when GITS_CWRITER is written, and GITS_CREADR follows', () => {
    const rig = mapped(new ItsRig().enable());
    expect(rig.read64(0x90)).toBe(0x80n);
    expect(rig.guestErrors).toEqual([]);
    expect(rig.msi(8, 3)).toEqual(['set 2 8200']);
  });

  test('waits for GITS_CTLR.Enabled', () => {
    const rig = new ItsRig().enable();
    rig.write(0, 0);
    expect(rig.read(0)).toBe(0x8000_0000);
    mapped(rig);
    expect(rig.read64(0x90)).toBe(0n);
    rig.write(0, 1);
    expect(rig.read(0)).toBe(1);
    expect(rig.read64(0x90)).toBe(0x80n);
    expect(rig.msi(8, 3)).toEqual(['set 2 8200']);
  });

  test('waits for GITS_CBASER.Valid', () => {
    const rig = new ItsRig();
    rig.write64(0x80, BigInt(QUEUE));
    rig.write(0, 1);
    rig.write(0x88, 0x20);
    expect(rig.read64(0x90)).toBe(0n);
  });

  test('wraps around', () => {
    const rig = new ItsRig().enable();
    const sync = command('SYNC', { RDbase: 0 });
    rig.send(...Array.from({ length: 2047 }, () => sync));
    expect(rig.read64(0x90)).toBe(0xffe0n);
    mapped(rig);
    expect(rig.read64(0x90)).toBe(0x60n);
    expect(rig.msi(8, 3)).toEqual(['set 2 8200']);
  });

  test('stands still while GITS_CWRITER is outside it', () => {
    const rig = new ItsRig().enable();
    rig.write(0x88, 0x1_0000);
    expect(rig.read64(0x90)).toBe(0n);
    expect(rig.guestErrors).toEqual(['GITS_CWRITER 0x10000 is outside the queue']);
    rig.write(0x88, 0);
    mapped(rig);
    expect(rig.read64(0x90)).toBe(0x80n);
  });

  test('begins anew when GITS_CBASER is written, at a multiple of 64 KiB', () => {
    const rig = mapped(new ItsRig().enable());
    rig.write(0, 0);
    rig.write64(0x80, rig.read64(0x80) | 0xf000n);
    expect(rig.read64(0x80)).toBe(0x8000_0000_4000_000fn);
    expect(rig.read64(0x90)).toBe(0n);
  });

  test('passes over a command that fails', () => {
    const rig = new ItsRig().enable();
    rig.send(command('INT', { DeviceID: 8, EventID: 3 }));
    mapped(rig);
    expect(rig.read64(0x90)).toBe(0xa0n);
    expect(rig.guestErrors).toEqual(['command INT (0x3) at 0x40000000: UNMAPPED_DEVICE']);
    expect(rig.msi(8, 3)).toEqual(['set 2 8200']);
  });

  test('stalls on a command that fails where silicon says so, until Retry', () => {
    const rig = new ItsRig({ silicon: { stallOnError: 1 } }).enable();
    rig.send(command('INT', { DeviceID: 8, EventID: 3 }));
    expect(rig.read64(0x90)).toBe(1n);
    const end = rig.queue(command('SYNC', { RDbase: 0 }));
    rig.write(0x88, end);
    expect(rig.read64(0x90)).toBe(1n);
    rig.write(0x88, 0);
    rig.queue(command('SYNC', { RDbase: 0 }));
    rig.write(0x88, end + 1);
    expect(rig.read64(0x88)).toBe(0x40n);
    expect(rig.read64(0x90)).toBe(0x40n);
  });

  test('stalls where it is not in memory', () => {
    const rig = new ItsRig();
    rig.write64(0x80, (1n << 63n) | 0x1000_0000n);
    rig.write(0, 1);
    rig.write(0x88, 0x20);
    expect(rig.read64(0x90)).toBe(1n);
    expect(rig.guestErrors).toEqual(['command at 0x10000000: no memory']);
  });

  test('passes over what is no command, and over virtual LPIs', () => {
    const rig = new ItsRig().enable();
    const unknown = Uint32Array.of(0x7f, 0, 0, 0, 0, 0, 0, 0);
    rig.send(unknown, command('VMAPP', { vPEID: 1, V: 1 }), command('VSYNC', { vPEID: 1 }));
    expect(rig.read64(0x90)).toBe(0x60n);
    expect(rig.guestErrors).toEqual(['command ? (0x7f) at 0x40000000: COMMAND']);
    expect(rig.unimplemented).toEqual(['VMAPP: virtual LPIs', 'VSYNC: virtual LPIs']);
  });
});

describe('commands', () => {
  test('MAPI maps an EventID to the LPI of the same number', () => {
    const rig = new ItsRig().enable();
    rig.send(
      command('MAPC', { ICID: 0, RDbase: 1, V: 1 }),
      command('MAPD', { DeviceID: 1, Size: 13, ITT_addr: itt(0), V: 1 }),
      command('MAPI', { DeviceID: 1, EventID: 8197, ICID: 0 }),
      command('MAPI', { DeviceID: 1, EventID: 8191, ICID: 0 }),
    );
    expect(rig.msi(1, 8197)).toEqual(['set 1 8197']);
    expect(rig.msi(1, 8191)).toEqual([]);
    expect(rig.guestErrors[0]).toMatch(/MAPI .*: PHYSICALID_OOR$/);
  });

  test('MAPD V=0 unmaps a device, and mapping it again finds its ITT as it was left', () => {
    const rig = mapped(new ItsRig().enable());
    expect(rig.msi(8, 3)).toEqual(['set 2 8200']);
    rig.send(command('MAPD', { DeviceID: 8, V: 0 }));
    expect(rig.msi(8, 3)).toEqual([]);
    rig.send(command('MAPD', { DeviceID: 8, Size: 4, ITT_addr: itt(0), V: 1 }));
    expect(rig.msi(8, 3)).toEqual(['set 2 8200']);
    rig.send(command('MAPD', { DeviceID: 8, Size: 0, ITT_addr: itt(0), V: 1 }));
    expect(rig.msi(8, 3)).toEqual([]);
  });

  test('MAPC V=0 unmaps a collection; MAPC maps it elsewhere', () => {
    const rig = mapped(new ItsRig().enable());
    rig.msi(8, 3);
    rig.send(command('MAPC', { ICID: 1, V: 0 }));
    expect(rig.msi(8, 3)).toEqual([]);
    rig.send(command('MAPC', { ICID: 1, RDbase: 3, V: 1 }));
    expect(rig.msi(8, 3)).toEqual(['set 3 8200']);
    rig.send(command('MAPC', { ICID: 1, RDbase: 0, V: 1 }));
    expect(rig.msi(8, 3)).toEqual(['set 0 8200']);
  });

  test('MAPTI replaces a mapping', () => {
    const rig = mapped(new ItsRig().enable());
    rig.msi(8, 3);
    rig.send(command('MAPTI', { DeviceID: 8, EventID: 3, pINTID: 9000, ICID: 1 }));
    expect(rig.msi(8, 3)).toEqual(['set 2 9000']);
  });

  test('MOVI moves an event and what is pending of it', () => {
    const rig = mapped(new ItsRig().enable());
    rig.msi(8, 3);
    rig.send(command('MAPC', { ICID: 7, RDbase: 0, V: 1 }), command('MOVI', { DeviceID: 8, EventID: 3, ICID: 7 }));
    expect(rig.calls()).toEqual(['move 2 0 8200']);
    expect(rig.msi(8, 3)).toEqual(['set 0 8200']);
    rig.send(command('MOVI', { DeviceID: 8, EventID: 3, ICID: 7 }));
    expect(rig.calls()).toEqual([]);
  });

  test('MOVALL moves what is pending, SYNC and INVALL name redistributors', () => {
    const rig = mapped(new ItsRig().enable());
    rig.send(
      command('MOVALL', { RDbase1: 2, RDbase2: 3 }),
      command('MOVALL', { RDbase1: 2, RDbase2: 2 }),
      command('MOVALL', { RDbase1: 2, RDbase2: 4 }),
      command('SYNC', { RDbase: 9 }),
      command('INVALL', { ICID: 1 }),
      command('INVALL', { ICID: 2 }),
    );
    expect(rig.calls()).toEqual(['moveall 2 3', 'invall 2']);
    expect(rig.guestErrors.map((line) => line.replace(/^command (\w+).*: /, '$1 '))).toEqual([
      'MOVALL PROCNUM_OOR',
      'SYNC PROCNUM_OOR',
      'INVALL UNMAPPED_COLLECTION',
    ]);
  });

  test('INT, CLEAR, INV and DISCARD reach the redistributor of the event', () => {
    const rig = mapped(new ItsRig().enable());
    const event = { DeviceID: 8, EventID: 3 };
    rig.send(command('INT', event), command('CLEAR', event), command('INV', event), command('DISCARD', event));
    expect(rig.calls()).toEqual(['set 2 8200', 'clear 2 8200', 'inv 2 8200', 'clear 2 8200']);
    expect(rig.msi(8, 3)).toEqual([]);
    rig.send(command('INT', event));
    expect(rig.guestErrors).toEqual([
      'MSI of DeviceID 0x8, EventID 0x3 dropped: UNMAPPED_INTERRUPT',
      'command INT (0x3) at 0x40000100: UNMAPPED_INTERRUPT',
    ]);
  });

  test.each([
    ['MAPD', { DeviceID: 0x2000, Size: 0, ITT_addr: itt(0), V: 1 }, 'DEVICE_OOR'],
    ['MAPD', { DeviceID: 9, Size: 16, ITT_addr: itt(0), V: 1 }, 'ITTSIZE_OOR'],
    ['MAPC', { ICID: 0x2000, RDbase: 0, V: 1 }, 'COLLECTION_OOR'],
    ['MAPC', { ICID: 2, RDbase: 4, V: 1 }, 'PROCNUM_OOR'],
    ['MAPC', { ICID: 0x2000, V: 0 }, 'COLLECTION_OOR'],
    ['MAPTI', { DeviceID: 9, EventID: 0, pINTID: 8192, ICID: 1 }, 'UNMAPPED_DEVICE'],
    ['MAPTI', { DeviceID: 8, EventID: 32, pINTID: 8192, ICID: 1 }, 'ID_OOR'],
    ['MAPTI', { DeviceID: 8, EventID: 0, pINTID: 8191, ICID: 1 }, 'PHYSICALID_OOR'],
    ['MAPTI', { DeviceID: 8, EventID: 0, pINTID: 0x1_0000, ICID: 1 }, 'PHYSICALID_OOR'],
    ['MAPTI', { DeviceID: 8, EventID: 0, pINTID: 8192, ICID: 0x2000 }, 'COLLECTION_OOR'],
    ['MOVI', { DeviceID: 8, EventID: 3, ICID: 2 }, 'UNMAPPED_COLLECTION'],
    ['MOVI', { DeviceID: 8, EventID: 4, ICID: 1 }, 'UNMAPPED_INTERRUPT'],
    ['DISCARD', { DeviceID: 8, EventID: 4 }, 'UNMAPPED_INTERRUPT'],
    ['INV', { DeviceID: 8, EventID: 33 }, 'ID_OOR'],
    ['CLEAR', { DeviceID: 0x1_0000, EventID: 0 }, 'DEVICE_OOR'],
    ['INVALL', { ICID: 0x3000 }, 'COLLECTION_OOR'],
  ] as const)('%s %j: %s, and nothing changes', (name, fields, error) => {
    const rig = mapped(new ItsRig().enable());
    const memory = rig.ram.bytes.slice(0x1_0000);
    rig.send(command(name, fields));
    expect(rig.guestErrors).toEqual([expect.stringMatching(new RegExp(`^command ${name} .*: ${error}$`))]);
    expect(rig.calls()).toEqual([]);
    expect(Buffer.compare(rig.ram.bytes.slice(0x1_0000), memory)).toBe(0);
    expect(rig.msi(8, 3)).toEqual(['set 2 8200']);
  });

  test('a table outside memory fails the command alone', () => {
    const rig = mapped(new ItsRig().enable());
    rig.send(
      command('MAPD', { DeviceID: 9, Size: 4, ITT_addr: 0x1000, V: 1 }),
      command('MAPTI', { DeviceID: 9, EventID: 0, pINTID: 8192, ICID: 1 }),
    );
    expect(rig.guestErrors).toEqual(['command MAPTI (0xa) at 0x400000a0: TABLE']);
    expect(rig.msi(9, 0)).toEqual([]);
    expect(rig.msi(8, 3)).toEqual(['set 2 8200']);
  });

  test('device and collection tables outside memory fail commands alone', () => {
    const rig = new ItsRig();
    rig.write64(0x100, (1n << 63n) | 0x1000n);
    rig.write64(0x108, (1n << 63n) | 0x8000n);
    rig.write64(0x80, (1n << 63n) | BigInt(QUEUE));
    rig.write(0, 1);
    rig.send(
      command('MAPD', { DeviceID: 9, Size: 4, ITT_addr: itt(0), V: 1 }),
      command('MAPD', { DeviceID: 9, V: 0 }),
      command('MAPC', { ICID: 0, RDbase: 0, V: 1 }),
    );
    expect(rig.guestErrors.map((line) => line.replace(/.*: /, ''))).toEqual(['TABLE', 'TABLE', 'TABLE']);
  });
});

describe('GITS_TRANSLATER', () => {
  test('takes 16 and 32 bits from a device, and nothing else', () => {
    const rig = mapped(new ItsRig().enable());
    const { frame } = rig;
    frame.write(0x1_0040, 3, 2, device(8));
    frame.write(0x1_0040, 3, 4, device(8));
    expect(rig.calls()).toEqual(['set 2 8200', 'set 2 8200']);
    frame.write(0x1_0040, 3, 1, device(8));
    frame.write(0x1_0042, 3, 2, device(8));
    frame.write(0x1_0044, 3, 4, device(8));
    frame.write(0x40, 3, 4, device(8));
    expect(rig.calls()).toEqual([]);
    frame.write64?.(0x1_0040, 3, 9, device(8));
    expect(rig.calls()).toEqual(['set 2 8200']);
  });

  test('counts what reaches nobody, and says each reason once', () => {
    const rig = mapped(new ItsRig().enable());
    for (let i = 0; i < 2; i++) {
      rig.frame.write(0x1_0040, 3, 4, CPU);
      rig.msi(9, 3);
      rig.msi(0x2000, 3);
      rig.msi(8, 32);
      rig.msi(8, 0xffff_ffff);
      rig.msi(8, 2);
    }
    rig.send(command('MAPTI', { DeviceID: 8, EventID: 5, pINTID: 8201, ICID: 2 }));
    rig.msi(8, 5);
    rig.write(0, 0);
    rig.msi(8, 3);
    expect(Object.fromEntries(rig.model.dropped)).toEqual({
      NO_DEVICE_ID: 2,
      UNMAPPED_DEVICE: 2,
      DEVICE_OOR: 2,
      ID_OOR: 4,
      UNMAPPED_INTERRUPT: 2,
      UNMAPPED_COLLECTION: 1,
      DISABLED: 1,
    });
    expect(rig.guestErrors).toHaveLength(7);
    rig.write(0, 1);
    expect(rig.msi(8, 3)).toEqual(['set 2 8200']);
  });
});

describe('tables in memory', () => {
  test('are of KVM revision 0 by default', () => {
    const rig = mapped(new ItsRig().enable());
    rig.send(command('MAPTI', { DeviceID: 8, EventID: 31, pINTID: 8201, ICID: 0x102 }));
    // DTE: valid, next 1, ITT_addr [51:8] at [48:5], Size. CTE: valid, RDBase, ICID. ITE: next, pINTID, ICID.
    expect(rig.ram.read64(DEVICE_TABLE + 8 * 8)).toBe((1n << 63n) | (1n << 49n) | ((BigInt(itt(0)) >> 8n) << 5n) | 4n);
    expect(rig.ram.read64(COLLECTION_TABLE)).toBe((1n << 63n) | (2n << 16n) | 1n);
    expect(rig.ram.read64(COLLECTION_TABLE + 8)).toBe(0n);
    expect(rig.ram.read64(itt(0) + 3 * 8)).toBe((1n << 48n) | (8200n << 16n) | 1n);
    expect(rig.ram.read64(itt(0) + 31 * 8)).toBe((8201n << 16n) | 0x102n);
    rig.send(command('DISCARD', { DeviceID: 8, EventID: 3 }), command('MAPD', { DeviceID: 8, V: 0 }));
    expect(rig.ram.read64(itt(0) + 3 * 8)).toBe(0n);
    expect(rig.ram.read64(DEVICE_TABLE + 8 * 8)).toBe(0n);
  });

  test('hold addresses up to 52 bits in KVM revision 0', () => {
    const rig = new ItsRig().enable();
    rig.send(command('MAPD', { DeviceID: 0x1fff, Size: 15, ITT_addr: 0xf_ffff_ffff_ff00, V: 1 }));
    expect(rig.ram.read64(DEVICE_TABLE + 0x1fff * 8)).toBe((1n << 63n) | (((1n << 44n) - 1n) * 32n + 15n));
  });

  test("are QEMU's where GITS_TYPER has ITEs of 12 bytes", () => {
    const rig = mapped(new ItsRig({ silicon: VIRT_SILICON }).enable());
    // DTE: ITT_addr [51:8] at [49:6], Size at [5:1], valid. CTE: RDbase at [16:1], valid.
    expect(rig.ram.read64(DEVICE_TABLE + 8 * 8)).toBe(((BigInt(itt(0)) >> 8n) << 6n) | (4n << 1n) | 1n);
    expect(rig.ram.read64(COLLECTION_TABLE + 8)).toBe((2n << 1n) | 1n);
    // ITE: ICID at [47:32], INTID at [25:2], physical, valid; then the doorbell that is none.
    expect(rig.ram.read64(itt(0) + 3 * 12)).toBe((1n << 32n) | (8200n << 2n) | 0b11n);
    expect(rig.ram.view.getUint32(itt(0) - 0x4000_0000 + 3 * 12 + 8, true)).toBe(1023);
    expect(rig.msi(8, 3)).toEqual(['set 2 8200']);
    rig.send(command('DISCARD', { DeviceID: 8, EventID: 3 }), command('MAPC', { ICID: 1, V: 0 }));
    expect(rig.ram.read64(itt(0) + 3 * 12)).toBe(0n);
    expect(rig.ram.read64(COLLECTION_TABLE + 8)).toBe(0n);
  });

  test('an LPI or a redistributor that does not fit an entry fails the command', () => {
    const rig = new ItsRig({ silicon: VIRT_SILICON }).enable();
    rig.redistributors.idBits = 28;
    rig.redistributors.target = () => 0;
    rig.send(
      command('MAPC', { ICID: 1, RDbase: 0x1_0002, V: 1 }),
      command('MAPD', { DeviceID: 8, Size: 4, ITT_addr: itt(0), V: 1 }),
      command('MAPTI', { DeviceID: 8, EventID: 3, pINTID: 0x100_2000, ICID: 1 }),
    );
    expect(rig.guestErrors.map((line) => line.replace(/^command (\w+).*: /, '$1 '))).toEqual([
      'MAPC TABLE',
      'MAPTI TABLE',
    ]);
  });

  test('the list of collections closes up when one goes', () => {
    const rig = new ItsRig().enable();
    for (let i = 0; i < 4; i++) rig.send(command('MAPC', { ICID: 10 + i, RDbase: i, V: 1 }));
    rig.send(command('MAPC', { ICID: 11, V: 0 }), command('MAPC', { ICID: 99, V: 0 }));
    const entry = (slot: number): bigint => rig.ram.read64(COLLECTION_TABLE + slot * 8);
    expect([0, 1, 2, 3].map((slot) => entry(slot) & 0xffffn)).toEqual([10n, 13n, 12n, 0n]);
    expect(entry(1)).toBe((1n << 63n) | (3n << 16n) | 13n);
    rig.model.dropCaches();
    rig.send(command('INVALL', { ICID: 13 }), command('INVALL', { ICID: 11 }));
    expect(rig.calls()).toEqual(['invall 3']);
  });

  test('what memory holds behind the list of collections is no part of it', () => {
    const rig = new ItsRig().enable();
    rig.ram.write64(COLLECTION_TABLE + 8, (1n << 63n) | (1n << 16n) | 5n);
    rig.send(command('MAPC', { ICID: 1, RDbase: 0, V: 1 }));
    rig.model.dropCaches();
    rig.send(command('INVALL', { ICID: 1 }), command('INVALL', { ICID: 5 }));
    expect(rig.calls()).toEqual(['invall 0']);
  });

  test('a collection that memory lists twice is where it stands first, and ends the list', () => {
    const rig = new ItsRig().enable();
    [5n, (1n << 16n) | 6n, (2n << 16n) | 5n, (3n << 16n) | 7n].forEach((entry, slot) =>
      rig.ram.write64(COLLECTION_TABLE + slot * 8, (1n << 63n) | entry),
    );
    rig.model.dropCaches();
    const invalidateAll = [5, 6, 7].map((ICID) => command('INVALL', { ICID }));
    rig.send(...invalidateAll);
    expect(rig.calls()).toEqual(['invall 0', 'invall 1']);
    rig.send(command('MAPC', { ICID: 5, V: 0 }), ...invalidateAll);
    expect(rig.calls()).toEqual(['invall 1']);
    rig.model.dropCaches();
    rig.send(...invalidateAll);
    expect(rig.calls()).toEqual(['invall 1']);
  });

  test.each([
    ['KVM revision 0', KVM_LAYOUT_SILICON],
    ['QEMU 7.2', VIRT_SILICON],
  ])('are found through two levels: %s', (_, silicon) => {
    const rig = new ItsRig({ silicon });
    rig.enable();
    rig.write(0, 0);
    rig.write64(0x100, (3n << 62n) | BigInt(DEVICE_TABLE));
    rig.write(0, 1);
    // 4 KiB pages: 512 DeviceIDs each, 0x400-0x5ff in the third one.
    rig.ram.write64(DEVICE_TABLE + 2 * 8, (1n << 63n) | BigInt(LEVEL2));
    rig.send(
      command('MAPC', { ICID: 1, RDbase: 2, V: 1 }),
      command('MAPD', { DeviceID: 0x408, Size: 4, ITT_addr: itt(0), V: 1 }),
      command('MAPD', { DeviceID: 0x208, Size: 4, ITT_addr: itt(0), V: 1 }),
      command('MAPTI', { DeviceID: 0x408, EventID: 3, pINTID: 8200, ICID: 1 }),
    );
    expect(rig.guestErrors).toEqual([expect.stringMatching(/^command MAPD .*: TABLE$/)]);
    expect(rig.ram.read64(LEVEL2 + 8 * 8)).not.toBe(0n);
    expect(rig.msi(0x408, 3)).toEqual(['set 2 8200']);
    expect(rig.msi(0x208, 3)).toEqual([]);
  });

  test('an LPI that no MAPTI would map reaches nobody', () => {
    const rig = mapped(new ItsRig().enable());
    rig.ram.write64(itt(0) + 4 * 8, (31n << 16n) | 1n);
    expect(rig.msi(8, 4)).toEqual([]);
  });
});

describe('GITS_TYPER', () => {
  test('PTA: an RDbase is an address', () => {
    const rig = new ItsRig({ silicon: { GITS_TYPER: 0x1f_0009_ef71 } }).enable();
    rig.send(
      command('MAPC', { ICID: 1, RDbase: 0x80c, V: 1 }),
      command('MAPC', { ICID: 2, RDbase: 1, V: 1 }),
      command('INVALL', { ICID: 1 }),
    );
    expect(rig.calls()).toEqual(['invall 1']);
    expect(rig.guestErrors).toEqual([expect.stringMatching(/MAPC .*PROCNUM_OOR$/)]);
  });

  test('Devbits, ID_bits and CIDbits limit what can be mapped', () => {
    // DeviceIDs of 4 bits, EventIDs of 3, collection IDs of 2.
    const rig = new ItsRig({ silicon: { GITS_TYPER: 0x11_0000_6271 } }).enable();
    rig.send(
      command('MAPD', { DeviceID: 15, Size: 2, ITT_addr: itt(0), V: 1 }),
      command('MAPC', { ICID: 3, RDbase: 0, V: 1 }),
    );
    expect(rig.guestErrors).toEqual([]);
    rig.send(
      command('MAPD', { DeviceID: 16, Size: 2, ITT_addr: itt(0), V: 1 }),
      command('MAPD', { DeviceID: 15, Size: 3, ITT_addr: itt(0), V: 1 }),
      command('MAPC', { ICID: 4, RDbase: 0, V: 1 }),
    );
    expect(rig.guestErrors.map((line) => line.replace(/.*: /, ''))).toEqual([
      'DEVICE_OOR',
      'ITTSIZE_OOR',
      'COLLECTION_OOR',
    ]);
  });

  test.each([
    ['CCT=0', 0x1f_0201_ef71, 0x2000],
    ['CCT=1', 0x1f_0201_ef75, 0x2002],
  ])('HCC: the ITS holds the first collections itself, %s', (_, typer, limit) => {
    const rig = new ItsRig({ silicon: { GITS_TYPER: typer } }).enable();
    rig.send(...[0, 1, 2, limit - 1].map((ICID, i) => command('MAPC', { ICID, RDbase: i, V: 1 })));
    rig.send(command('MAPC', { ICID: limit, RDbase: 0, V: 1 }));
    expect(rig.guestErrors).toEqual([expect.stringMatching(/COLLECTION_OOR$/)]);
    expect(rig.ram.read64(COLLECTION_TABLE) & 0xffffn).toBe(2n);
    rig.send(command('MAPC', { ICID: 1, V: 0 }));
    rig.send(...[0, 1, 2, limit - 1].map((ICID) => command('INVALL', { ICID })));
    expect(rig.calls()).toEqual(['invall 0', 'invall 2', 'invall 3']);
  });
});

describe('a pre-ITS', () => {
  test('R5: is a window that makes a DeviceID of the address', () => {
    const rig = mapped(new ItsRig({ node: { 'socionext,synquacer-pre-its': [0x5800_0000, 0x20_0000] } }).enable());
    const [window] = rig.model.windows;
    expect(window.region).toEqual({ base: 0x5800_0000, sizeBytes: 0x20_0000 });
    window.model.write(8 << 2, 3, 4, device(99));
    expect(rig.calls()).toEqual(['set 2 8200']);
    window.model.write((8 << 2) + 1, 3, 1, device(99));
    window.model.write(9 << 2, 3, 4, device(8));
    expect(rig.calls()).toEqual([]);
    expect(window.model.read(8 << 2, 4, CPU)).toBe(0);
  });

  test('is not there by itself', () => {
    expect(new ItsRig().model.windows).toEqual([]);
  });
});

describe('saving and restoring', () => {
  test('takes registers along; memory holds the rest', () => {
    const rig = mapped(new ItsRig({ silicon: { GITS_TYPER: 0x1f_0201_ef71 } }).enable());
    const other = new ItsRig({ silicon: { GITS_TYPER: 0x1f_0201_ef71 }, ram: rig.ram });
    other.model.restore(structuredClone(rig.model.save()));
    for (const offset of [0x0, 0x80, 0x88, 0x90, 0x100, 0x108]) expect(other.read64(offset)).toBe(rig.read64(offset));
    expect(other.msi(8, 3)).toEqual(['set 2 8200']);
    other.send(command('INT', { DeviceID: 8, EventID: 3 }));
    expect(other.calls()).toEqual(['set 2 8200']);
  });

  test('takes a stalled queue along', () => {
    const rig = new ItsRig({ silicon: { stallOnError: 1 } }).enable();
    rig.send(command('INT', { DeviceID: 8, EventID: 3 }));
    const other = new ItsRig({ silicon: { stallOnError: 1 }, ram: rig.ram });
    other.model.restore(rig.model.save());
    expect(other.read64(0x90)).toBe(1n);
    other.queue(command('SYNC'));
    other.write(0x88, 0x21);
    expect(other.read64(0x90)).toBe(1n);
  });

  test('forgets what was mapped before', () => {
    const rig = new ItsRig().enable();
    const empty = rig.model.save();
    const memory = rig.ram.bytes.slice();
    mapped(rig);
    rig.msi(8, 3);
    rig.ram.bytes.set(memory);
    rig.model.restore(empty);
    expect(rig.msi(8, 3)).toEqual([]);
    mapped(rig);
    expect(rig.msi(8, 3)).toEqual(['set 2 8200']);
  });

  test.each([
    ['another version', { version: 2 }, /version 2, this is 1/],
    ['another ITS', { typer: Uint32Array.of(1, 2) }, /GITS_TYPER/],
    ['no enable', { enabled: undefined }, /enabled/],
    ['a short queue', { queue: new Uint32Array(3) }, /queue/],
    ['no tables', { basers: new Uint32Array(2) }, /basers/],
    ['too many collections', { collections: new Float64Array(1) }, /collections/],
  ])('refuses %s with EINVAL, unchanged', (_, change, message) => {
    const rig = mapped(new ItsRig().enable());
    const state = rig.model.save();
    expect(() => rig.model.restore({ ...state, ...change })).toThrow(message);
    expect(rig.model.save()).toEqual(state);
    expect(rig.msi(8, 3)).toEqual(['set 2 8200']);
  });
});
