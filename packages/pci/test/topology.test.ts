// SPDX-License-Identifier: Apache-2.0
import { dmaAliases, eduLike, nvmeLike, pciPciBridge, pciePciBridge, rootPort } from '@irqkit/pci';
import { Machine } from './support/machine.js';
import { node } from './support/tree.js';

describe('requester ids', () => {
  // linux/pci_regs.h PCI_EXP_TYPE_*: 4 root port, 5 upstream, 6 downstream, 7 PCIe to PCI, 8 PCI to PCIe.
  const bridge = (
    id: number,
    portType: number | undefined,
    secondaryBus: number,
  ): Parameters<typeof dmaAliases>[1][number] => ({
    id,
    portType,
    secondaryBus,
  });

  it('pass PCI Express ports unchanged', () => {
    expect(dmaAliases(0x300, [bridge(0x200, 6, 3), bridge(0x100, 5, 2), bridge(0x08, 4, 1)])).toEqual([0x300]);
  });

  it('become the secondary bus, function 0, behind a PCIe-to-PCI bridge', () => {
    expect(dmaAliases(0x208, [bridge(0x38, 7, 2)])).toEqual([0x208, 0x200]);
  });

  it('become the bridge behind a conventional one, or one from PCI to PCIe', () => {
    expect(dmaAliases(0x3f8, [bridge(0x218, undefined, 3), bridge(0x38, 7, 2)])).toEqual([0x3f8, 0x218, 0x200]);
    expect(dmaAliases(0x500, [bridge(0x410, 8, 5)])).toEqual([0x500, 0x410]);
  });

  it('seen by the host are those that the models send', () => {
    const models = [nvmeLike({ vectors: 1 }), eduLike(), eduLike(), eduLike()];
    const machine = new Machine({
      plugged: [
        { device: 1, model: rootPort(), behind: [{ device: 0, model: models[0] }] },
        {
          device: 7,
          model: pciePciBridge(),
          behind: [
            { device: 1, model: models[1] },
            { device: 3, model: pciPciBridge(), behind: [{ device: 31, model: models[2] }] },
          ],
        },
        { device: 9, model: pciPciBridge(), behind: [{ device: 4, model: models[3] }] },
      ],
    });
    const names = ['0000:01:00.0', '0000:02:01.0', '0000:03:1f.0', '0000:04:04.0'];
    const devices = names.map((name) => machine.device(name));
    for (const device of devices) device.enable();
    expect(devices.map(({ requesterId }) => requesterId)).toEqual([0x100, 0x200, 0x200, 0x48]);
    expect(devices.map(({ dmaAliases: ids }) => ids.length)).toEqual([1, 2, 3, 2]);
    expect(models.map(({ requesterId }) => requesterId)).toEqual([0x100, 0x200, 0x200, 0x48]);
    expect(devices.map(({ msiDeviceId }) => msiDeviceId)).toEqual([0x1_0100, 0x1_0200, 0x1_0200, 0x1_0048]);
    expect(devices.map(({ msiAliasVectors }) => msiAliasVectors)).toEqual([undefined, 2, 2, 1]);
  });
});

describe('Access Control Services', () => {
  it('are told by their Control register, of which capable bits alone can be set', () => {
    const machine = new Machine({
      plugged: [
        { device: 1, model: rootPort() },
        { device: 2, model: rootPort({ acs: false }) },
        { device: 3, model: eduLike() },
      ],
    });
    const port = machine.device('0000:00:01.0');
    expect(port.acs).toEqual({ capable: 0x5f, control: 0 });
    port.writeConfig((port.findExtCapability(0x0d) ?? 0) + 6, 0x1d, 2);
    expect(port.acs).toEqual({ capable: 0x5f, control: 0x1d });
    port.writeConfig((port.findExtCapability(0x0d) ?? 0) + 6, 0xffff, 2);
    expect(port.acs?.control).toBe(0x5f);
    expect(machine.device('0000:00:02.0').acs).toBeUndefined();
    expect(machine.device('0000:00:03.0').acs).toBeUndefined();
  });
});

describe('INTx', () => {
  const gic = node({ path: '/intc', compatible: 'test,gic' });
  // The wiring of QEMU's virt machine: SPI 3 + (device + pin - 1) mod 4.
  const mapInterrupt = (
    [hi]: readonly number[],
    [pin]: readonly number[],
  ): { controller: typeof gic; args: number[] } => ({
    controller: gic,
    args: [3 + ((((hi >>> 11) & 31) + pin - 1) % 4)],
  });
  const machineWith = (edus: readonly ReturnType<typeof eduLike>[]): Machine =>
    new Machine({
      mapInterrupt,
      plugged: [
        { device: 6, model: edus[0] },
        { device: 7, model: pciePciBridge(), behind: [{ device: 3, model: edus[1] }] },
      ],
    });

  it('is turned by the device number at each bridge', () => {
    const machine = machineWith([eduLike(), eduLike()]);
    expect(machine.device('0000:00:06.0').intx).toEqual({ controller: gic, args: [5] });
    // INTA of device 3 is INTD of the bridge's device 7.
    expect(machine.device('0000:01:03.0').intx).toEqual({ controller: gic, args: [3 + ((7 + 3) % 4)] });
  });

  it('reaches the same wire from the model; a shared wire stays up until all let go', () => {
    const edus = [eduLike(), eduLike()];
    const machine = machineWith(edus);
    for (const edu of edus) edu.setIntx(true);
    expect(machine.lines).toEqual(['5=1', '5=1']);
    expect(machine.device('0000:00:06.0').readConfig(0x06, 2)).toBe(0x0018);
    edus[0].setIntx(false);
    machine.device('0000:01:03.0').writeConfig(0x04, 0x0400, 2);
    expect(machine.lines.slice(2)).toEqual(['5=1', '5=0']);
    expect(machine.device('0000:01:03.0').readConfig(0x06, 2)).toBe(0x0018);
    machine.device('0000:01:03.0').writeConfig(0x04, 0, 2);
    expect(machine.lines.slice(4)).toEqual(['5=1']);
  });

  it('is not asserted by a function that sends messages', () => {
    const edu = eduLike();
    const machine = new Machine({ mapInterrupt, plugged: [{ device: 6, model: edu }] });
    const device = machine.device('0000:00:06.0');
    device.enable();
    edu.setIntx(true);
    device.enableMsi(1);
    expect(machine.lines).toEqual(['5=1', '5=0']);
    device.freeVectors();
    expect(machine.lines).toEqual(['5=1', '5=0', '5=1']);
  });
});
