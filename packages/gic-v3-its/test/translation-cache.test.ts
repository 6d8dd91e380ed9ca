// SPDX-License-Identifier: Apache-2.0
// Many devices and wide ones: what is remembered of them is bounded, and right.
import { DEVICE_TABLE, ItsRig, RAM_BASE, command, itt } from './its-rig.js';

describe('what the model remembers of tables', () => {
  test('tells 64 devices with events far apart from each other', () => {
    const rig = new ItsRig().enable();
    rig.send(command('MAPC', { ICID: 0, RDbase: 1, V: 1 }));
    const expected: [number, number, number][] = [];
    for (let i = 0; i < 64; i++) {
      const DeviceID = i * 127;
      rig.send(command('MAPD', { DeviceID, Size: 9, ITT_addr: itt(i * 2), V: 1 }));
      for (const EventID of [0, 7, 8, 511 + i]) {
        const pINTID = 8192 + expected.length;
        rig.send(command('MAPTI', { DeviceID, EventID, pINTID, ICID: 0 }));
        expected.push([DeviceID, EventID, pINTID]);
      }
    }
    for (let round = 0; round < 2; round++)
      for (const [deviceId, eventId, lpi] of expected) expect(rig.msi(deviceId, eventId)).toEqual([`set 1 ${lpi}`]);
  });

  test('tells DeviceIDs apart whose low 16 bits are the same', () => {
    // DeviceIDs of 20 bits, in two levels: 0x00007 and 0x10007.
    const rig = new ItsRig({ silicon: { GITS_TYPER: 0x1f_0002_6f71 } }).enable();
    rig.write(0, 0);
    rig.write64(0x100, (3n << 62n) | BigInt(DEVICE_TABLE));
    rig.write(0, 1);
    rig.ram.write64(DEVICE_TABLE, (1n << 63n) | BigInt(itt(8)));
    rig.ram.write64(DEVICE_TABLE + (0x1_0000 / 512) * 8, (1n << 63n) | BigInt(itt(9)));
    rig.send(command('MAPC', { ICID: 0, RDbase: 1, V: 1 }));
    [7, 0x1_0007].forEach((DeviceID, i) => {
      rig.send(command('MAPD', { DeviceID, Size: 4, ITT_addr: itt(i), V: 1 }));
      rig.send(command('MAPTI', { DeviceID, EventID: 1, pINTID: 8192 + i, ICID: 0 }));
    });
    for (let round = 0; round < 3; round++) {
      expect(rig.msi(7, 1)).toEqual(['set 1 8192']);
      expect(rig.msi(0x1_0007, 1)).toEqual(['set 1 8193']);
    }
  });

  test('stays below 64 MiB, whatever a guest maps', () => {
    const rig = new ItsRig().enable();
    rig.write(0, 0);
    rig.write64(0x100, (1n << 63n) | BigInt(RAM_BASE + 0x8_0000) | 0x207n);
    rig.write(0, 1);
    rig.send(command('MAPC', { ICID: 0, RDbase: 1, V: 1 }));
    // All have the same interrupt translation table, of which the last entry stands right below the device table.
    const devices = Array.from({ length: 1024 }, (_, i) => 0xffff - i * 64);
    for (const DeviceID of devices) rig.send(command('MAPD', { DeviceID, Size: 15, ITT_addr: RAM_BASE, V: 1 }));
    rig.send(command('MAPTI', { DeviceID: 0xffff, EventID: 0xffff, pINTID: 9000, ICID: 0 }));
    const before = process.memoryUsage().arrayBuffers;
    for (const deviceId of devices) expect(rig.msi(deviceId, 0xffff)).toEqual(['set 1 9000']);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 2 ** 20);
    expect(rig.msi(devices[0], 0xffff)).toEqual(['set 1 9000']);
    expect(rig.msi(devices[0], 0xfffe)).toEqual([]);
  });
});
