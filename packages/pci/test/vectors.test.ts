// SPDX-License-Identifier: Apache-2.0
import { LinuxError, createHost, MSI_FLAG } from '@irqkit/core';
import { PciDevice, PciEndpoint, configImage, eduLike, nicLike, nvmeLike, pciHostGeneric, rootPort } from '@irqkit/pci';
import { DOORBELL, Machine } from './support/machine.js';
import type { MachineOptions } from './support/machine.js';
import { firmware } from './support/tree.js';

interface Bench {
  readonly machine: Machine;
  readonly model: PciEndpoint;
  readonly device: PciDevice;
}

function bench(model: PciEndpoint, options: Partial<MachineOptions> = {}): Bench {
  const machine = new Machine({ plugged: [{ device: 5, model }], ...options });
  const device = machine.device('0000:00:05.0');
  device.enable();
  machine.accesses.length = 0;
  return { machine, model, device };
}

const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (LinuxError.is(error)) return error.code;
    throw error;
  }
  return 'none';
};
const controlOf = (device: PciDevice): number => device.readConfig(0x42, 2);
const command = (device: PciDevice): number => device.readConfig(0x04, 2);

describe('enableMsix', () => {
  it('programs each entry asked for, masked until its interrupt is requested', () => {
    const { machine, model, device } = bench(nvmeLike({ vectors: 65 }));
    const virqs = device.enableMsix([4, 0, 64]);
    expect(virqs).toHaveLength(3);
    expect(controlOf(device)).toBe(0x8040);
    expect(command(device)).toBe(0x0406);
    const { base } = device.barRegion(0);
    const entry = (index: number): number[] =>
      [0, 4, 8, 12].map((offset) => machine.read(base + 0x2000 + index * 16 + offset, 4));
    expect([0, 4, 64].map(entry)).toEqual([0x40, 0x41, 0x42].map((data) => [DOORBELL, 0, data, 1]));
    expect(entry(1)).toEqual([0, 0, 0, 1]);
    expect(model.raise(0)).toBe(false);
    machine.host.irqs.requestIrq(virqs[1], () => true, 'test');
    expect(machine.sent).toEqual([{ requesterId: 0x28, address: DOORBELL, value: 0x40 }]);
    expect(entry(0)).toEqual([DOORBELL, 0, 0x40, 0]);
    expect(device.msiDescs.map(({ index }) => index)).toEqual([0, 4, 64]);
    expect(device.msiDescs.map(({ virq }) => virq)).toEqual([virqs[1], virqs[0], virqs[2]]);
  });

  it('enables with everything masked first, unmasks the function last, writes address low, high, data', () => {
    const { machine, device } = bench(nvmeLike({ vectors: 1 }));
    device.enableMsix(1);
    const config = '0x4010028042';
    const table = device.barRegion(0).base + 0x2000;
    const word = (offset: number): string => `0x${(table + offset).toString(16)}`;
    expect(machine.accesses).toEqual([
      `w2 ${config} 0xc000`,
      `w4 ${word(12)} 0x1`,
      `w4 ${word(0)} 0x8020040`,
      `w4 ${word(4)} 0x0`,
      `w4 ${word(8)} 0x40`,
      'w2 0x4010028004 0x406',
      `w2 ${config} 0x8000`,
    ]);
  });

  it('masks an entry that is in use while its message changes', () => {
    const { machine, device } = bench(nvmeLike({ vectors: 1 }));
    const [virq] = device.enableMsix(1);
    machine.host.irqs.requestIrq(virq, () => true, 'test');
    machine.accesses.length = 0;
    device.msiDescs[0].hardware.write({ address: DOORBELL as never, data: 9 });
    const offsets = machine.accesses.map((line) => line.replace(/0x[0-9a-f]+([0-9a-f]) /, '$1 '));
    expect(offsets).toEqual(['w4 c 0x1', 'w4 0 0x8020040', 'w4 4 0x0', 'w4 8 0x9', 'w4 c 0x0']);
  });

  it('numbers hwirqs as Linux 6.1 shows them: index, requester id, domain', () => {
    const { machine, device } = bench(nvmeLike({ vectors: 3 }));
    const hwirqs = device.enableMsix(3).map((virq) => machine.host.irqs.irqData(virq).hwirq);
    expect(hwirqs).toEqual([0x28 * 2048, 0x28 * 2048 + 1, 0x28 * 2048 + 2]);
  });

  it('R9: freeVectors writes a zero message to every entry before anything is released', () => {
    const { machine, device } = bench(nvmeLike({ vectors: 2 }));
    device.enableMsix(2);
    const table = device.barRegion(0).base + 0x2000;
    machine.accesses.length = 0;
    device.freeVectors();
    const zeroed = [0, 16].flatMap((entry) =>
      [0, 4, 8].map((offset) => `w4 0x${(table + entry + offset).toString(16)} 0x0`),
    );
    expect(machine.accesses).toEqual(expect.arrayContaining(zeroed));
    expect(device.msiDescs).toEqual([]);
    expect(machine.host.irqs.all).toEqual([]);
    expect(controlOf(device)).toBe(0x0001);
    expect(command(device)).toBe(0x0006);
    expect(device.enableMsix(2)).toHaveLength(2);
  });

  it('R7: the controller running out half-way leaves the function and the controller as they were', () => {
    const { machine, device } = bench(nvmeLike({ vectors: 32 }), { nrSpis: 20 });
    for (let nr = 21; nr <= 32; nr++) {
      expect(codeOf(() => device.enableMsix(nr))).toBe('ENOSPC');
      expect(controlOf(device)).toBe(31);
      expect(command(device)).toBe(0x0006);
      expect(machine.host.irqs.all).toEqual([]);
      expect(device.msiDescs).toEqual([]);
    }
    expect(device.enableMsix(20)).toHaveLength(20);
  });

  it('refuses what cannot be', () => {
    const { device, machine } = bench(nvmeLike({ vectors: 8 }));
    expect(codeOf(() => device.enableMsix(0))).toBe('EINVAL');
    expect(codeOf(() => device.enableMsix(1.5))).toBe('EINVAL');
    expect(codeOf(() => device.enableMsix([1, 1]))).toBe('EINVAL');
    expect(codeOf(() => device.enableMsix([8]))).toBe('EINVAL');
    expect(codeOf(() => device.enableMsix(9))).toBe('ENOSPC');
    expect(codeOf(() => device.enableMsi(1))).toBe('EINVAL');
    device.disable();
    expect(codeOf(() => device.enableMsix(1))).toBe('EINVAL');
    device.enable();
    const [virq] = device.enableMsix(1);
    expect(codeOf(() => device.enableMsix(1))).toBe('EINVAL');
    const handler = (): boolean => true;
    machine.host.irqs.requestIrq(virq, handler, 'test');
    expect(codeOf(() => device.freeVectors())).toBe('EBUSY');
    expect(controlOf(device)).toBe(0x8007);
    machine.host.irqs.freeIrq(virq, handler);
    device.freeVectors();
    device.freeVectors();
    expect(controlOf(device)).toBe(7);
  });

  it('is refused where the controller serves MSI only', () => {
    const { device } = bench(nicLike({ vectors: 4 }), { supportedFlags: 0 });
    expect(codeOf(() => device.enableMsix(1))).toBe('EOPNOTSUPP');
    expect(codeOf(() => device.enableMsi(2))).toBe('ENOSPC');
    expect(device.enableMsi(1)).toHaveLength(1);
  });
});

describe('enableMsi', () => {
  const msiDevice = (msi: { vectors: number; is64?: boolean; maskable?: boolean }): PciEndpoint =>
    new PciEndpoint(configImage({ vendorId: 0x1234, deviceId: 1, classCode: 0xff0000, msi }), []);

  it('gives a block of messages that differ in their low data bits', () => {
    const { machine, model, device } = bench(nicLike({ vectors: 8 }));
    const at = device.findCapability(5) ?? 0;
    const virqs = device.enableMsi(4);
    expect(virqs).toEqual([0, 1, 2, 3].map((i) => virqs[0] + i));
    expect(device.readConfig(at + 2, 2)).toBe(0x01a7);
    expect(device.readConfig(at + 0x10, 4)).toBe(0xf);
    for (const virq of virqs) machine.host.irqs.requestIrq(virq, () => true, 'test');
    expect(device.readConfig(at + 0x10, 4)).toBe(0);
    for (const vector of [0, 1, 2, 3]) expect(model.raise(vector)).toBe(true);
    expect(machine.sent.map(({ value }) => value)).toEqual([0x40, 0x41, 0x42, 0x43]);
    machine.host.irqs.disable(virqs[2]);
    expect(device.readConfig(at + 0x10, 4)).toBe(4);
  });

  it('R9: freeVectors disables, writes a zero message and leaves the masks open', () => {
    const { machine, device } = bench(msiDevice({ vectors: 2, maskable: true }));
    device.enableMsi(2);
    machine.accesses.length = 0;
    device.freeVectors();
    expect(machine.accesses.filter((line) => !line.startsWith('w2 0x4010028004'))).toEqual([
      'w2 0x4010028042 0x192',
      'w2 0x4010028042 0x192',
      'w4 0x4010028044 0x0',
      'w4 0x4010028048 0x0',
      'w2 0x401002804c 0x0',
      'w4 0x4010028050 0x0',
    ]);
    expect(machine.host.irqs.all).toEqual([]);
  });

  it('refuses what cannot be', () => {
    const { device } = bench(msiDevice({ vectors: 4 }));
    expect(codeOf(() => device.enableMsi(0))).toBe('EINVAL');
    expect(codeOf(() => device.enableMsi(3))).toBe('EINVAL');
    expect(codeOf(() => device.enableMsi(8))).toBe('ENOSPC');
    expect(codeOf(() => device.enableMsix(1))).toBe('EINVAL');
    device.enableMsi(4);
    expect(codeOf(() => device.enableMsi(1))).toBe('EINVAL');
  });

  it('R7: an address that 32 bits cannot hold is EIO, with nothing left behind', () => {
    const options = { doorbell: 0x10_0802_0040 };
    const { machine, device } = bench(msiDevice({ vectors: 1, is64: false, maskable: true }), options);
    expect(codeOf(() => device.enableMsi(1))).toBe('EIO');
    expect(device.readConfig(0x42, 2)).toBe(0x0100);
    expect(device.readConfig(0x4c, 4)).toBe(0);
    expect(machine.host.irqs.all).toEqual([]);
    expect(bench(msiDevice({ vectors: 1 }), options).device.enableMsi(1)).toHaveLength(1);
  });

  it('writes no mask where the function has none', () => {
    const { machine, model, device } = bench(eduLike());
    const [virq] = device.enableMsi(1);
    expect(model.raise(0)).toBe(true);
    machine.host.irqs.requestIrq(virq, () => true, 'test');
    expect(machine.accesses.filter((line) => line.startsWith('w4 0x4010028050'))).toEqual([]);
  });
});

describe('MSI domains', () => {
  it('are shared by the functions of one host, and know each by its mapped id', () => {
    const machine = new Machine({
      plugged: [
        { device: 1, model: rootPort(), behind: [{ device: 0, model: nvmeLike({ vectors: 1 }) }] },
        { device: 2, model: eduLike() },
      ],
    });
    const { devices } = machine.driver;
    expect(new Set(devices.map(({ msiDomain }) => msiDomain)).size).toBe(1);
    expect(devices.map(({ msiDeviceId }) => msiDeviceId)).toEqual([0x1_0008, 0x1_0010, 0x1_0100]);
  });

  it('are asked for by requester id: a function that firmware leads nowhere has none, which is warned of once', () => {
    const machine = new Machine({
      plugged: [
        { device: 1, model: nvmeLike({ vectors: 1 }) },
        { device: 2, model: eduLike() },
        { device: 3, model: eduLike() },
      ],
      mapId: (id, controller) => (id === 0x18 ? { controller, id: 7 } : undefined),
    });
    expect(machine.driver.devices.map(({ msiDomain }) => msiDomain !== undefined)).toEqual([false, false, true]);
    expect(machine.device('0000:00:03.0').msiDeviceId).toBe(7);
    expect(machine.host.log.warnings).toEqual([
      '/pcie@10000000: no MSI controller for 0000:00:01.0, nor perhaps for others',
    ]);
    const device = machine.device('0000:00:01.0');
    device.enable();
    expect(codeOf(() => device.enableMsix(1))).toBe('ENODEV');
    expect(device.readConfig(0x42, 2)).toBe(0);
  });

  it('fail the probe where no controller will come', () => {
    const machine = new Machine({ plugged: [{ device: 1, model: eduLike() }], withController: false });
    const plugins = [pciHostGeneric];
    expect(codeOf(() => createHost({ firmware: firmware(machine.pcie), plugins, bus: machine.bus }))).toBe('ENODEV');
  });
});

describe('teardown', () => {
  it('R22: with interrupts live, no function can raise one or reach memory afterwards', () => {
    const { machine, model, device } = bench(nvmeLike({ vectors: 2 }), { supportedFlags: MSI_FLAG.PCI_MSIX });
    for (const virq of device.enableMsix(2)) machine.host.irqs.requestIrq(virq, () => true, 'test');
    expect(model.raise(1)).toBe(true);
    machine.host.teardown();
    expect(machine.host.irqs.all).toEqual([]);
    expect(machine.host.devices.all).toEqual([]);
    expect(model.raise(1)).toBe(false);
    expect(model.dmaStore(0, new Uint8Array(1))).toBe(false);
    machine.restart();
    const again = machine.device('0000:00:05.0');
    again.enable();
    expect(again.enableMsix(2)).toHaveLength(2);
  });
});

test('decoding without mastering: messages can be enabled, and none goes out before the function masters the bus', () => {
  const nic = nicLike({ vectors: 2 });
  const { device } = bench(nic);
  device.disable();
  expect(codeOf(() => device.enableMsix(1))).toBe('EINVAL');
  device.enableDecoding();
  expect(command(device)).toBe(0x0003);
  expect(device.enableMsix(1)).toHaveLength(1);
  expect(nic.raise(0)).toBe(false);
  device.freeVectors();
  device.disable();
  expect(codeOf(() => device.enableMsix(1))).toBe('EINVAL');
});
