// SPDX-License-Identifier: Apache-2.0
import { LinuxError } from '@irqkit/core';
import type { State } from '@irqkit/core';
import { eduLike, nicLike, nvmeLike, pciePciBridge, rootPort } from '@irqkit/pci';
import type { PciEndpoint, PciSlot } from '@irqkit/pci';
import { DOORBELL, Machine } from './support/machine.js';

interface Plugged {
  readonly nvme: PciEndpoint;
  readonly nic: PciEndpoint;
  readonly edu: PciEndpoint;
  readonly slots: readonly PciSlot[];
}

function plug(): Plugged {
  const nvme = nvmeLike({ vectors: 65 });
  const nic = nicLike({ vectors: 4 });
  const edu = eduLike();
  const slots = [
    { device: 1, model: rootPort(), behind: [{ device: 0, model: nvme }] },
    {
      device: 7,
      model: pciePciBridge(),
      behind: [
        { device: 1, model: edu },
        { device: 2, model: nic },
      ],
    },
  ];
  return { nvme, nic, edu, slots };
}

/** A state with a masked MSI-X vector, a masked MSI vector and an edu interrupt pending. */
function busyState(): { state: State; table: number; eduBase: number } {
  const before = plug();
  const machine = new Machine({ plugged: before.slots });
  const nvme = machine.device('0000:01:00.0');
  const nic = machine.device('0000:02:02.0');
  const edu = machine.device('0000:02:01.0');
  for (const device of [nvme, nic, edu]) device.enable();
  nvme.enableMsix(65);
  nic.enableMsi(4);
  expect(before.nvme.raise(64)).toBe(false);
  expect(before.nic.raise(2)).toBe(false);
  machine.write(edu.barRegion(0).base + 4, 0x1234_5678, 4);
  before.edu.setIntx(true);
  return {
    state: structuredClone(machine.model.save()),
    table: nvme.barRegion(0).base + 0x2000,
    eduBase: edu.barRegion(0).base,
  };
}

describe('save and restore', () => {
  it('keep what waits: it is sent once unmasked, by the right requester', () => {
    const { state, table, eduBase } = busyState();
    const after = plug();
    const machine = new Machine({ plugged: after.slots });
    machine.model.restore(state);
    expect(machine.sent).toEqual([]);
    machine.write(table + 64 * 16 + 12, 0, 4);
    expect(machine.sent).toEqual([{ requesterId: 0x100, address: DOORBELL, value: 0x40 + 64 }]);
    const nic = machine.model.functionAt(2, 2, 0);
    expect(nic).toBe(after.nic);
    nic?.writeConfig(0x4c + 0x10, 0, 4);
    expect(machine.sent[1]).toMatchObject({ requesterId: 0x200, address: DOORBELL });
    expect(machine.sent[1].value % 4).toBe(2);
    expect(machine.read(eduBase + 4, 4)).toBe(0xedcb_a987);
    expect(after.edu.config.read(0x06, 2) & 8).toBe(8);
  });

  it('give back the same state', () => {
    const { state } = busyState();
    const machine = new Machine({ plugged: plug().slots });
    machine.model.restore(state);
    expect(machine.model.save()).toEqual(state);
  });

  it('refuse a state of another version or another machine', () => {
    const { state } = busyState();
    const other = new Machine({ plugged: [{ device: 1, model: eduLike() }] });
    for (const bad of [
      state,
      { version: 1 },
      { version: 2, functions: [] },
      { version: 1, functions: [{ version: 1 }] },
    ])
      expect(() => other.model.restore(bad)).toThrow(LinuxError);
  });
});
