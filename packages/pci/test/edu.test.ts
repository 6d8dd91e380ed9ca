// SPDX-License-Identifier: Apache-2.0
// Offsets and meanings from QEMU's docs/specs/edu.rst.
import { eduLike } from '@irqkit/pci';
import type { EduOptions, PciDevice } from '@irqkit/pci';
import { Machine } from './support/machine.js';

interface Bench {
  readonly machine: Machine;
  readonly device: PciDevice;
  read(offset: number): number;
  write(offset: number, value: number): void;
}

function bench(options?: EduOptions): Bench {
  const machine = new Machine({ plugged: [{ device: 6, model: eduLike(options) }] });
  const device = machine.device('0000:00:06.0');
  device.enable();
  const { base } = device.barRegion(0);
  return {
    machine,
    device,
    read: (offset) => machine.read(base + offset, 4),
    write: (offset, value) => machine.write(base + offset, value, 4),
  };
}

describe('eduLike', () => {
  it('is identified as QEMU identifies it', () => {
    const { device, read, machine } = bench();
    expect([device.vendorId, device.deviceId, device.classCode]).toEqual([0x1234, 0x11e8, 0x00ff00]);
    expect(device.bars[0].sizeBytes).toBe(0x10_0000);
    expect(read(0x00)).toBe(0x0100_00ed);
    expect(read(0x60)).toBe(0xffff_ffff);
    expect(machine.read(device.barRegion(0).base, 2)).toBe(0xffff);
  });

  it('inverts what is written to the liveness register', () => {
    const { read, write } = bench();
    write(0x04, 0x1234_5678);
    expect(read(0x04)).toBe(0xedcb_a987);
  });

  it.each([
    [0, 1],
    [5, 120],
    [12, 479_001_600],
    [13, 1_932_053_504],
    [33, 0x8000_0000],
    [34, 0],
    [0xffff_ffff, 0],
  ])('computes %d! in 32 bits', (n, product) => {
    const { read, write } = bench();
    write(0x08, n);
    expect(read(0x08)).toBe(product);
  });

  it('raises and acknowledges interrupts by message', () => {
    const { machine, device, read, write } = bench();
    const [virq] = device.enableMsi(1);
    machine.host.irqs.requestIrq(virq, () => true, 'test');
    write(0x60, 0x8000_0005);
    write(0x60, 0x2);
    expect(read(0x24)).toBe(0x8000_0007);
    expect(machine.sent.map(({ value }) => value)).toEqual([0x40, 0x40]);
    write(0x64, 0x8000_0006);
    expect(read(0x24)).toBe(1);
    write(0x20, 0xff);
    expect(read(0x20)).toBe(0x80);
    write(0x64, 1);
    write(0x08, 3);
    expect(read(0x24)).toBe(1);
    expect(machine.sent).toHaveLength(3);
  });

  it('moves memory both ways and raises 0x100 when told to', () => {
    const { machine, device, read, write } = bench();
    device.enableMsi(1);
    machine.ram.set([1, 2, 3, 4], 0x1000);
    write(0x80, 0x1000);
    write(0x88, 0x4_0010);
    write(0x90, 4);
    write(0x98, 1);
    expect(read(0x98)).toBe(0);
    expect(read(0x24)).toBe(0);
    write(0x80, 0x4_0010);
    write(0x88, 0x2000);
    write(0x98, 7);
    expect(Array.from(machine.ram.subarray(0x2000, 0x2005))).toEqual([1, 2, 3, 4, 0]);
    expect(read(0x24)).toBe(0x100);
    expect(read(0x98)).toBe(6);
    expect(machine.sent).toHaveLength(1);
  });

  it('moves nothing outside its buffer', () => {
    const { machine, write } = bench();
    write(0x80, 0x4_0ffd);
    write(0x88, 0);
    write(0x90, 4);
    write(0x98, 3);
    expect(machine.log).toEqual(['guest: edu: DMA of %d bytes is not within its buffer']);
  });

  it('drives 28 address bits unless told otherwise, and takes 64-bit stores in its DMA registers', () => {
    for (const [options, moved] of [
      [undefined, 9],
      [{ dmaAddressBits: 40 }, 0],
    ] as const) {
      const { machine, device, write } = bench(options);
      machine.ram[0x100] = 9;
      const window = machine.model.windows.find(({ region }) => region.base === 0x1000_0000);
      const offset = device.barRegion(0).base - 0x1000_0000;
      window?.model.write64?.(offset + 0x80, 0x100, 0x1, machineRequester);
      write(0x88, 0x4_0000);
      write(0x90, 1);
      write(0x98, 1);
      write(0x80, 0x4_0000);
      write(0x88, 0x200);
      write(0x98, 3);
      expect(machine.ram[0x200]).toBe(moved);
    }
  });
});

const machineRequester = { kind: 'cpu', cpu: 0, requesterId: -1, streamId: -1, deviceId: -1 } as const;
