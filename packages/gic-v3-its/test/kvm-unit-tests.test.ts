// SPDX-License-Identifier: Apache-2.0
// The ITS cases of kvm-unit-tests (arm/gic.c) by their names, against the model with toy redistributors. A migration is
// a save and a restore into another ITS on the same memory.
import { CONFIG, ItsRig, command, itt } from './its-rig.js';

const LPI_A = 8195;
const LPI_B = 8196;
/** Priority 0xa0, enabled and not. */
const ENABLED = 0xa3;
const DISABLED = 0xa2;

function configure(rig: ItsRig, lpi: number, value: number): void {
  rig.ram.write8(CONFIG + lpi - 8192, value);
}

function migrate(rig: ItsRig): ItsRig {
  const { ram, redistributors } = rig;
  const other = new ItsRig({ ram, redistributors });
  other.model.restore(structuredClone(rig.model.save()));
  return other;
}

/** Two devices; collection 3 is processor 3, collection 2 processor 2, unless `unmapped`. */
function setUp(unmapped = -1): ItsRig {
  const rig = new ItsRig().enable();
  configure(rig, LPI_A, ENABLED);
  configure(rig, LPI_B, ENABLED);
  for (const ICID of [2, 3]) if (ICID !== unmapped) rig.send(command('MAPC', { ICID, RDbase: ICID, V: 1 }));
  rig.send(
    command('MAPD', { DeviceID: 2, Size: 7, ITT_addr: itt(0), V: 1 }),
    command('MAPD', { DeviceID: 7, Size: 7, ITT_addr: itt(1), V: 1 }),
    command('MAPTI', { DeviceID: 2, EventID: 20, pINTID: LPI_A, ICID: 3 }),
    command('MAPTI', { DeviceID: 7, EventID: 255, pINTID: LPI_B, ICID: 2 }),
  );
  return rig;
}

function int(rig: ItsRig, DeviceID: number, EventID: number): void {
  rig.send(command('INT', { DeviceID, EventID }));
}

/** What each processor takes. */
function taken(rig: ItsRig): number[][] {
  return [0, 1, 2, 3].map((cpu) => rig.redistributors.take(cpu));
}

describe('kvm-unit-tests', () => {
  test('its-introspection', () => {
    const rig = new ItsRig();
    const typer = rig.read64(0x8);
    expect(typer & 1n).toBe(1n);
    expect((typer >> 19n) & 1n).toBe(0n);
    for (const offset of [0x100, 0x108]) {
      expect(rig.read64(offset) >> 63n).toBe(0n);
      expect(Number((rig.read64(offset) >> 48n) & 0x1fn) + 1).toBe(8);
    }
    expect(Number((rig.read64(0x100) >> 56n) & 7n)).toBe(1);
    expect(Number((rig.read64(0x108) >> 56n) & 7n)).toBe(4);
    rig.write(0x4, 0xffff_ffff);
    rig.write64(0x8, 0xffff_ffff_ffff_ffffn);
    expect([rig.read(0x4), rig.read64(0x8)]).toEqual([0x43b, typer]);
  });

  test('its-trigger: INT to two devices on two processors', () => {
    const rig = setUp();
    int(rig, 2, 20);
    expect(taken(rig)).toEqual([[], [], [], [LPI_A]]);
    int(rig, 7, 255);
    expect(taken(rig)).toEqual([[], [], [LPI_B], []]);
    expect(rig.guestErrors).toEqual([]);
  });

  test('its-trigger: inv and invall', () => {
    const rig = setUp();
    int(rig, 2, 20);
    expect(taken(rig)[3]).toEqual([LPI_A]);

    configure(rig, LPI_A, DISABLED);
    rig.send(command('INV', { DeviceID: 2, EventID: 20 }));
    int(rig, 2, 20);
    expect(taken(rig)[3]).toEqual([]);

    configure(rig, LPI_A, ENABLED);
    int(rig, 2, 20);
    expect(taken(rig)[3]).toEqual([]);
    rig.send(command('INVALL', { ICID: 3 }));
    expect(taken(rig)[3]).toEqual([LPI_A]);
    int(rig, 2, 20);
    expect(taken(rig)[3]).toEqual([LPI_A]);
  });

  test('its-trigger: mapd valid=false', () => {
    const rig = setUp();
    rig.send(command('MAPD', { DeviceID: 2, V: 0 }));
    int(rig, 2, 20);
    expect(taken(rig)).toEqual([[], [], [], []]);
    expect(rig.msi(2, 20)).toEqual([]);
  });

  test('its-migration', () => {
    const rig = migrate(setUp());
    int(rig, 2, 20);
    expect(taken(rig)[3]).toEqual([LPI_A]);
    int(rig, 7, 255);
    expect(taken(rig)[2]).toEqual([LPI_B]);
  });

  test('its-migrate-unmapped-collection', () => {
    const rig = migrate(setUp(3));
    int(rig, 7, 255);
    expect(taken(rig)[2]).toEqual([LPI_B]);
    int(rig, 2, 20);
    expect(taken(rig)).toEqual([[], [], [], []]);
    configure(rig, LPI_A, DISABLED);
    rig.send(command('MAPC', { ICID: 3, RDbase: 3, V: 1 }));
    configure(rig, LPI_A, ENABLED);
    rig.send(command('INVALL', { ICID: 3 }));
    int(rig, 2, 20);
    expect(taken(rig)[3]).toEqual([LPI_A]);
  });

  test('its-pending-migration: 256 LPIs', () => {
    const before = new ItsRig().enable();
    before.send(
      command('MAPC', { ICID: 0, RDbase: 0, V: 1 }),
      command('MAPC', { ICID: 1, RDbase: 1, V: 1 }),
      command('MAPD', { DeviceID: 2, Size: 7, ITT_addr: itt(0), V: 1 }),
    );
    const lpis = Array.from({ length: 256 }, (_, i) => 8192 + i);
    lpis.forEach((pINTID, EventID) => {
      configure(before, pINTID, ENABLED);
      before.send(command('MAPTI', { DeviceID: 2, EventID, pINTID, ICID: EventID % 2 }));
      int(before, 2, EventID);
    });
    const rig = migrate(before);
    expect(taken(rig)).toEqual([lpis.filter((lpi) => lpi % 2 === 0), lpis.filter((lpi) => lpi % 2 === 1), [], []]);
    int(rig, 2, 255);
    expect(taken(rig)[1]).toEqual([8447]);
  });
});
