// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { runs, seed } from '@irqkit-test/env';
import { eduLike, nicLike, nvmeLike, pciePciBridge, rootPort } from '@irqkit/pci';
import type { AccessSize } from '@irqkit/core';
import { Machine } from './support/machine.js';

const ECAM = 0x40_1000_0000;
const at = (bus: number, device: number, fn: number, offset: number): number =>
  ECAM + bus * 0x10_0000 + device * 0x8000 + fn * 0x1000 + offset;

describe('configuration accesses', () => {
  it('are 1, 2 and 4 bytes wide', () => {
    const machine = new Machine({ plugged: [{ device: 6, model: eduLike() }] });
    expect(machine.read(at(0, 6, 0, 0x00), 4)).toBe(0x11e8_1234);
    expect(machine.read(at(0, 6, 0, 0x02), 2)).toBe(0x11e8);
    expect(machine.read(at(0, 6, 0, 0x03), 1)).toBe(0x11);
    machine.write(at(0, 6, 0, 0x3c), 0x2a, 1);
    expect(machine.read(at(0, 6, 0, 0x3c), 4)).toBe(0x0000_012a);
    machine.write(at(0, 6, 0, 0x04), 0x0007, 2);
    expect(machine.read(at(0, 6, 0, 0x04), 4)).toBe(0x0010_0007);
    machine.write(at(0, 6, 0, 0x05), 0xff, 1);
    expect(machine.read(at(0, 6, 0, 0x04), 2)).toBe(0x0507);
  });

  it('of absent functions read ones and write nothing', () => {
    const machine = new Machine({ plugged: [{ device: 6, model: eduLike() }] });
    expect(machine.read(at(0, 7, 0, 0), 4)).toBe(0xffff_ffff);
    expect(machine.read(at(0, 6, 1, 0), 2)).toBe(0xffff);
    expect(machine.read(at(9, 6, 0, 0), 1)).toBe(0xff);
    machine.write(at(0, 7, 0, 4), 7, 2);
    expect(machine.read(at(0, 6, 0, 4), 2)).toBe(0);
  });

  it('beyond byte 255 of a conventional function read ones', () => {
    const machine = new Machine({
      plugged: [
        { device: 6, model: eduLike() },
        { device: 7, model: nvmeLike({ vectors: 1 }) },
        { device: 8, model: pciePciBridge(), behind: [{ device: 0, model: nvmeLike({ vectors: 1 }) }] },
      ],
    });
    expect(machine.driver.devices).toHaveLength(4);
    expect(machine.read(at(0, 6, 0, 0x100), 4)).toBe(0xffff_ffff);
    expect(machine.read(at(0, 7, 0, 0x100), 4)).toBe(0);
    expect(machine.read(at(1, 0, 0, 0x100), 4)).toBe(0xffff_ffff);
  });

  it('clear status bits by writing ones, and leave what is read-only', () => {
    const edu = eduLike();
    const machine = new Machine({ plugged: [{ device: 6, model: edu }] });
    edu.config.set({ offset: 0x06, size: 2 }, 0xf910);
    machine.write(at(0, 6, 0, 0x06), 0x8010, 2);
    expect(machine.read(at(0, 6, 0, 0x06), 2)).toBe(0x7910);
    machine.write(at(0, 6, 0, 0x04), 0x0000_0000, 4);
    expect(machine.read(at(0, 6, 0, 0x06), 2)).toBe(0x7910);
    machine.write(at(0, 6, 0, 0x00), 0, 4);
    expect(machine.read(at(0, 6, 0, 0x00), 4)).toBe(0x11e8_1234);
  });

  it('by the host are refused where no register can be', () => {
    const device = new Machine({ plugged: [{ device: 6, model: eduLike() }] }).device('0000:00:06.0');
    expect(() => device.readConfig(0x01, 2)).toThrow('no 2-byte configuration register at 0x1 (EFAULT)');
    expect(() => device.readConfig(0x1000, 4)).toThrow('(EFAULT)');
    expect(() => device.writeConfig(-4, 0, 4)).toThrow('(EFAULT)');
    expect(device.readConfig(0x0a, 2)).toBe(0x00ff);
  });

  it('find capabilities', () => {
    const nic = new Machine({ plugged: [{ device: 0, model: nicLike({ vectors: 5 }) }] }).device('0000:00:00.0');
    expect([0x11, 0x05, 0x10, 0x01].map((id) => nic.findCapability(id))).toEqual([0x40, 0x4c, 0x64, undefined]);
    const port = new Machine({ plugged: [{ device: 0, model: rootPort() }] }).device('0000:00:00.0');
    expect(port.findExtCapability(0x0d)).toBe(0x100);
    expect(port.findExtCapability(0x01)).toBeUndefined();
  });

  it('through a capability list that loops end', () => {
    const edu = eduLike();
    edu.config.set({ offset: 0x41, size: 1 }, 0x40);
    const device = new Machine({ plugged: [{ device: 0, model: edu }] }).device('0000:00:00.0');
    expect(device.findCapability(0x11)).toBeUndefined();
  });
});

describe('random accesses', () => {
  const size = fc.constantFrom<AccessSize>(1, 2, 4);
  const word = fc.oneof(fc.integer({ min: 0, max: 0xffff_ffff }), fc.constantFrom(0, 1, 7, 0xffff_ffff));

  it('to configuration space and BARs never throw, and reads stay within their width', () => {
    const access = fc.record({
      space: fc.constantFrom('config', 'bar'),
      target: fc.integer({ min: 0, max: 5 }),
      offset: fc.oneof(fc.integer({ min: 0, max: 0x1_0000 }), fc.integer({ min: 0, max: 0x100 })),
      size,
      value: word,
      write: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(access, { minLength: 1, maxLength: 200 }), (accesses) => {
        const endpoints = [nvmeLike({ vectors: 70 }), nicLike({ vectors: 4 }), eduLike(), eduLike()];
        const machine = new Machine({
          plugged: [
            { device: 1, model: rootPort(), behind: [{ device: 0, model: endpoints[0] }] },
            { device: 2, model: endpoints[1] },
            { device: 3, model: endpoints[2] },
            { device: 4, model: pciePciBridge(), behind: [{ device: 9, model: endpoints[3] }] },
          ],
        });
        const { devices } = machine.driver;
        for (const device of devices) device.enable();
        const configs = devices.map(({ id }) => at(id >> 8, (id >> 3) & 31, id & 7, 0));
        const bars = devices.flatMap((device) =>
          device.bars.filter(({ space }) => space === 'memory').map(({ index }) => device.barRegion(index).base),
        );
        for (const { space, target, offset, size: width, value, write } of accesses) {
          const base = space === 'config' ? configs[target] : bars[target];
          const address = base + (space === 'config' ? offset % 0x1000 : offset);
          if (write) machine.write(address, value % 2 ** (8 * width), width);
          else {
            const read = machine.read(address, width);
            expect(Number.isInteger(read) && read >= 0 && read < 2 ** (8 * width)).toBe(true);
          }
          for (const endpoint of endpoints) endpoint.raise(offset % 70);
        }
        for (const { requesterId } of machine.sent) expect(requesterId).toBeLessThan(0x1_0000);
      }),
      { seed, numRuns: runs(40, 2000) },
    );
  });
});
