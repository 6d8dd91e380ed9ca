// SPDX-License-Identifier: Apache-2.0
import { PciEndpoint, configImage, nicLike, nvmeLike, pciePciBridge, rootPort } from '@irqkit/pci';
import type { PciDevice } from '@irqkit/pci';
import { Machine } from './support/machine.js';

const ADDRESS = 0x1234_5678_0040;

/** An endpoint with MSI-X at 0x40: table at BAR 0 + 0x2000, PBA behind it. */
function msixBench(vectors: number): { machine: Machine; model: PciEndpoint; table: number; pba: number } {
  const model = nvmeLike({ vectors });
  const machine = new Machine({ plugged: [{ device: 5, model }] });
  const device = machine.device('0000:00:05.0');
  device.enable();
  const { base } = device.barRegion(0);
  const pba = device.readConfig(0x48, 4) & ~7;
  return { machine, model, table: base + 0x2000, pba: base + pba };
}

describe('MSI-X as the endpoint has it', () => {
  const program = (machine: Machine, entry: number, data: number, control: number): void => {
    machine.write(entry, ADDRESS % 2 ** 32, 4);
    machine.write(entry + 4, Math.floor(ADDRESS / 2 ** 32), 4);
    machine.write(entry + 8, data, 4);
    machine.write(entry + 12, control, 4);
  };
  const control = (machine: Machine, value: number): void => machine.write(0x40_1000_0000 + 0x28000 + 0x42, value, 2);

  it('starts masked and disabled', () => {
    const { machine, model, table } = msixBench(65);
    expect(machine.read(table + 64 * 16 + 12, 4)).toBe(1);
    expect(model.raise(0)).toBe(false);
    expect(machine.sent).toEqual([]);
  });

  it('sends address and data of the vector', () => {
    const { machine, model, table } = msixBench(65);
    control(machine, 0x8000);
    program(machine, table + 64 * 16, 0xdead_beef, 0);
    expect(model.raise(64)).toBe(true);
    expect(machine.sent).toEqual([{ requesterId: 0x28, address: ADDRESS, value: 0xdead_beef }]);
    expect(model.raise(65)).toBe(false);
    expect(model.raise(-1)).toBe(false);
  });

  it('keeps a masked vector pending in the PBA and sends it once when unmasked', () => {
    const { machine, model, table, pba } = msixBench(65);
    control(machine, 0x8000);
    program(machine, table + 33 * 16, 7, 1);
    expect(model.raise(33)).toBe(false);
    expect(model.raise(33)).toBe(false);
    expect([0, 4, 8, 12].map((offset) => machine.read(pba + offset, 4))).toEqual([0, 2, 0, 0]);
    machine.write(pba + 4, 0, 4);
    expect(machine.read(pba + 4, 4)).toBe(2);
    expect(machine.sent).toEqual([]);
    machine.write(table + 33 * 16 + 12, 0, 4);
    expect(machine.sent).toEqual([{ requesterId: 0x28, address: ADDRESS, value: 7 }]);
    expect(machine.read(pba + 4, 4)).toBe(0);
  });

  it('masks every vector by Function Mask, and sends what waits when it is cleared', () => {
    const { machine, model, table, pba } = msixBench(64);
    control(machine, 0xc000);
    for (const vector of [0, 31, 63]) {
      program(machine, table + vector * 16, vector, 0);
      expect(model.raise(vector)).toBe(false);
    }
    expect([0, 4].map((offset) => machine.read(pba + offset, 4))).toEqual([0x8000_0001, 0x8000_0000]);
    program(machine, table + 31 * 16, 31, 1);
    control(machine, 0x8000);
    expect(machine.sent.map(({ value }) => value)).toEqual([0, 63]);
    expect(machine.read(pba, 4)).toBe(0x8000_0000);
  });

  it('takes 4-byte accesses and pairs of them; others do not change the table', () => {
    const { machine, table } = msixBench(2);
    machine.model.windows[2].model.write64?.(0x2000, 0x8020043, 0x12, {
      kind: 'cpu',
      cpu: 0,
      requesterId: -1,
      streamId: -1,
      deviceId: -1,
    });
    expect([0, 4].map((offset) => machine.read(table + offset, 4))).toEqual([0x802_0040, 0x12]);
    machine.write(table, 0xff, 1);
    machine.write(table + 2, 0xffff, 2);
    expect(machine.read(table, 4)).toBe(0x802_0040);
    expect(machine.read(table + 1, 2)).toBe(0x0200);
    expect(machine.log).toHaveLength(2);
    machine.write(table + 12, 0xffff_fffe, 4);
    expect(machine.read(table + 12, 4)).toBe(0);
  });

  it('reaches nothing by an address that no bus has', () => {
    const { machine, model, table } = msixBench(2);
    control(machine, 0x8000);
    program(machine, table, 1, 0);
    machine.write(table + 4, 0xffff_ffff, 4);
    expect(model.raise(0)).toBe(false);
    expect(machine.sent).toEqual([]);
  });

  it('loses messages and DMA silently while bus mastering is off, here or on a bridge above', () => {
    const model = nvmeLike({ vectors: 2 });
    const machine = new Machine({ plugged: [{ device: 1, model: rootPort(), behind: [{ device: 0, model }] }] });
    const device = machine.device('0000:01:00.0');
    const port = machine.device('0000:00:01.0');
    device.enable();
    const [virq] = device.enableMsix(2);
    machine.host.irqs.requestIrq(virq, () => true, 'test');
    expect(model.raise(0)).toBe(true);
    expect(model.dmaStore(0, new Uint8Array(4))).toBe(true);
    for (const off of [device, port]) {
      off.disable();
      expect(model.raise(0)).toBe(false);
      expect(model.dmaStore(0, new Uint8Array(4))).toBe(false);
      expect(model.dmaLoad(0, new Uint8Array(4))).toBe(false);
      off.enable();
    }
    expect(machine.sent).toHaveLength(1);
    expect(machine.log).toEqual([]);
    expect(model.raise(0)).toBe(true);
  });
});

describe('MSI as the endpoint has it', () => {
  /** MSI at 0x40 of 00:03.0. */
  function msiBench(msi: { vectors: number; is64?: boolean; maskable?: boolean }): {
    machine: Machine;
    model: PciEndpoint;
  } {
    const model = new PciEndpoint(configImage({ vendorId: 0x1234, deviceId: 1, classCode: 0xff0000, msi }), []);
    const machine = new Machine({ plugged: [{ device: 3, model }] });
    machine.device('0000:00:03.0').enable();
    return { machine, model };
  }
  const at = (offset: number): number => 0x40_1000_0000 + 3 * 0x8000 + 0x40 + offset;

  it('replaces as many low data bits as messages are enabled', () => {
    const { machine, model } = msiBench({ vectors: 8 });
    expect(machine.read(at(2), 2)).toBe(0x0086);
    machine.write(at(4), 0x802_0041, 4);
    machine.write(at(8), 0x12, 4);
    machine.write(at(0xc), 0xabcd, 2);
    machine.write(at(2), 0x0021, 2);
    for (const vector of [0, 1, 2, 3]) expect(model.raise(vector)).toBe(true);
    expect(machine.sent.map(({ address }) => address)).toEqual(new Array(4).fill(0x12_0802_0040));
    expect(machine.sent.map(({ value }) => value)).toEqual([0xabcc, 0xabcd, 0xabce, 0xabcf]);
    machine.write(at(2), 0x0001, 2);
    model.raise(0);
    expect(machine.sent[4].value).toBe(0xabcd);
  });

  it('masks per vector and keeps what waits in Pending Bits, in the 32-bit layout too', () => {
    const { machine, model } = msiBench({ vectors: 32, is64: false, maskable: true });
    machine.write(at(4), 0x802_0040, 4);
    machine.write(at(8), 0x100, 2);
    machine.write(at(0xc), 0x8000_0002, 4);
    machine.write(at(2), 0x0051, 2);
    expect([1, 31, 30].map((vector) => model.raise(vector))).toEqual([false, false, true]);
    expect(machine.read(at(0x10), 4)).toBe(0x8000_0002);
    machine.write(at(0xc), 2, 4);
    expect(machine.sent.map(({ value }) => value)).toEqual([0x11e, 0x11f]);
    expect(machine.read(at(0x10), 4)).toBe(2);
    machine.write(at(0xc), 0, 4);
    expect(machine.sent).toHaveLength(3);
  });

  it('has only the mask bits of the messages it is capable of', () => {
    const { machine } = msiBench({ vectors: 4, maskable: true });
    machine.write(at(0x10), 0xffff_ffff, 4);
    expect(machine.read(at(0x10), 4)).toBe(0xf);
  });

  it('sends nothing while disabled', () => {
    const { machine, model } = msiBench({ vectors: 1 });
    expect(model.raise(0)).toBe(false);
    expect(machine.sent).toEqual([]);
  });
});

describe('who sends', () => {
  const arrivesAs = (device: PciDevice, model: PciEndpoint, machine: Machine): number => {
    device.enable();
    const [virq] = device.enableMsi(1);
    machine.host.irqs.requestIrq(virq, () => true, 'test');
    model.raise(0);
    return machine.sent[machine.sent.length - 1].requesterId;
  };

  it('is the secondary bus, device 0, behind a PCIe-to-PCI bridge; renumbered with it', () => {
    const model = nicLike({ vectors: 1 });
    const machine = new Machine({ plugged: [{ device: 7, model: pciePciBridge(), behind: [{ device: 2, model }] }] });
    const device = machine.device('0000:01:02.0');
    expect(arrivesAs(device, model, machine)).toBe(0x100);
    expect(device.requesterId).toBe(0x100);
    machine.device('0000:00:07.0').writeConfig(0x19, 0x05, 1);
    machine.device('0000:00:07.0').writeConfig(0x1a, 0x05, 1);
    model.raise(0);
    expect(machine.sent[1].requesterId).toBe(0x500);
    expect(machine.model.functionAt(5, 2, 0)).toBe(model);
    expect(machine.model.functionAt(1, 2, 0)).toBeUndefined();
  });
});
