// SPDX-License-Identifier: Apache-2.0
import { eduLike, nicLike, nvmeLike, pciPciBridge, pciePciBridge, rootPort } from '@irqkit/pci';
import { Machine } from './support/machine.js';

describe('enumeration', () => {
  // Bus 0: 01.0 root port → bus 1: 00.0 nvme. 02.0 bridge → bus 2: 00.0 edu, 03.0 bridge → bus 3: 1f.0 edu. 05.0 root port →
  // bus 4, empty. 08.0 and 08.3 one device.
  const nested = (): Machine =>
    new Machine({
      plugged: [
        { device: 1, model: rootPort(), behind: [{ device: 0, model: nvmeLike({ vectors: 8 }) }] },
        {
          device: 2,
          model: pciePciBridge(),
          behind: [
            { device: 3, model: pciPciBridge(), behind: [{ device: 31, model: eduLike() }] },
            { device: 0, model: eduLike() },
          ],
        },
        { device: 5, model: rootPort() },
        { device: 8, model: nicLike({ vectors: 4 }) },
        { device: 8, function: 3, model: eduLike() },
      ],
    });

  it('goes depth first and numbers buses as it goes', () => {
    const machine = nested();
    expect(machine.names).toEqual([
      '0000:00:01.0',
      '0000:00:02.0',
      '0000:00:05.0',
      '0000:00:08.0',
      '0000:00:08.3',
      '0000:01:00.0',
      '0000:02:00.0',
      '0000:02:03.0',
      '0000:03:1f.0',
    ]);
    const numbers = ['0000:00:01.0', '0000:00:02.0', '0000:02:03.0', '0000:00:05.0'].map((name) => {
      const bridge = machine.device(name);
      return [bridge.readConfig(0x18, 1), bridge.readConfig(0x19, 1), bridge.readConfig(0x1a, 1)];
    });
    expect(numbers).toEqual([
      [0, 1, 1],
      [0, 2, 3],
      [2, 3, 3],
      [0, 4, 4],
    ]);
  });

  it('knows what is a bridge and what is above', () => {
    const machine = nested();
    const deepest = machine.device('0000:03:1f.0');
    expect(deepest.isBridge).toBe(false);
    expect(deepest.bridgesAbove.map(({ name }) => name)).toEqual(['0000:02:03.0', '0000:00:02.0']);
    expect(deepest.parentBridge?.isBridge).toBe(true);
    expect(machine.device('0000:00:01.0').classCode).toBe(0x060400);
  });

  it('finds the same when probed a second time, over numbers left behind', () => {
    const machine = nested();
    const before = machine.names;
    const numbers = machine.device('0000:02:03.0').readConfig(0x18, 4);
    machine.restart();
    expect(machine.names).toEqual(before);
    expect(machine.device('0000:02:03.0').readConfig(0x18, 4)).toBe(numbers);
  });

  it('finds nothing beyond function 0 of a single-function device', () => {
    const machine = new Machine({ plugged: [{ device: 4, model: eduLike() }] });
    expect(machine.names).toEqual(['0000:00:04.0']);
  });

  it('starts at the first bus of bus-range, which lies at the start of the window', () => {
    const machine = new Machine({
      busRange: [0x20, 0x22],
      plugged: [{ device: 1, model: rootPort(), behind: [{ device: 0, model: eduLike() }] }],
    });
    expect(machine.names).toEqual(['0000:20:01.0', '0000:21:00.0']);
    expect(machine.read(0x40_1000_0000 + 0x8000, 4)).toBe(0x000c_1b36);
  });

  it('leaves a bridge closed when bus numbers run out, and says so', () => {
    const machine = new Machine({
      busRange: [0, 1],
      plugged: [
        { device: 1, model: rootPort(), behind: [{ device: 0, model: eduLike() }] },
        { device: 2, model: rootPort(), behind: [{ device: 0, model: eduLike() }] },
      ],
    });
    expect(machine.names).toEqual(['0000:00:01.0', '0000:00:02.0', '0000:01:00.0']);
    expect(machine.host.log.warnings).toEqual(['0000:00:02.0: no bus number is left for what is behind it']);
  });

  it('asks a link for device 0 only', () => {
    expect(
      () => new Machine({ plugged: [{ device: 1, model: rootPort(), behind: [{ device: 2, model: eduLike() }] }] }),
    ).toThrow('a link has device 0 only (EINVAL)');
  });
});
