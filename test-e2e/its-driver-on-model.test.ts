// SPDX-License-Identifier: Apache-2.0
// Our ITS driver on our ITS model, on the board of a recorded boot: messages of PCI functions from the function to the handler,
// with an ITS that ignores wrong commands as QEMU's does and with one that stalls at them.

import { readFileSync } from 'node:fs';
import { createBoard } from '@irqkit/board';
import type { Board } from '@irqkit/board';
import { createHost } from '@irqkit/core';
import type { Firmware, Host } from '@irqkit/core';
import { firmwareFromFdt } from '@irqkit/fdt';
import { GicV3Driver, gicV3 } from '@irqkit/gic-v3';
import { GicV3ItsDriver, VIRT_SILICON, gicV3Its } from '@irqkit/gic-v3-its';
import { nvmeLike, pciHostGeneric } from '@irqkit/pci';
import type { PciDevice } from '@irqkit/pci/host';
import { describeWithShared, sharedPath } from '@irqkit-test/env';

const NR_VECTORS = 32;
const plugins = [gicV3, gicV3Its, pciHostGeneric];

class Machine {
  readonly model = nvmeLike({ vectors: 65 });
  readonly board: Board;
  readonly host: Host;
  readonly device: PciDevice;
  /** `vector@processor` of every interrupt taken. */
  readonly #taken: string[] = [];
  readonly #firmware: Firmware;
  virqs: readonly number[] = [];
  readonly #handler = (virq: number, cpu: number): boolean => {
    this.#taken.push(`${this.virqs.indexOf(virq)}@${cpu}`);
    return true;
  };

  constructor(stallOnError: 0 | 1) {
    const tree = firmwareFromFdt(readFileSync(sharedPath('data', 'replay', 'D', 'platform.dtb')));
    this.#firmware = tree;
    const pathOf = (compatible: string): string => {
      const found = tree.nodes.find((node) => node.compatible.includes(compatible));
      if (!found) throw new Error(`no ${compatible}`);
      return found.path;
    };
    this.board = createBoard({
      firmware: tree,
      plugins,
      silicon: { [pathOf('arm,gic-v3-its')]: { ...VIRT_SILICON, stallOnError } },
      plugged: { [pathOf('pci-host-ecam-generic')]: [{ device: 5, model: this.model }] },
    });
    this.host = this.probe();
    this.device = this.host.devices.find('0000:00:05.0') as PciDevice;
    this.device.enable();
  }

  probe(): Host {
    return createHost({ firmware: this.#firmware, plugins, bus: this.board.bus });
  }

  enable(): void {
    this.virqs = this.device.enableMsix(NR_VECTORS);
    for (const virq of this.virqs) this.host.irqs.requestIrq(virq, this.#handler, 'nvme');
  }

  disable(): void {
    for (const virq of this.virqs) this.host.irqs.freeIrq(virq, this.#handler);
    this.device.freeVectors();
  }

  /** What is taken of what `work` raises. */
  taken(work: () => void): readonly string[] {
    this.#taken.length = 0;
    work();
    return [...this.#taken];
  }

  raise(...vectors: readonly number[]): readonly string[] {
    return this.taken(() => vectors.forEach((vector) => this.model.raise(vector)));
  }

  driver<T>(of: abstract new (...args: never[]) => T): T {
    const found = this.host.drivers.find(({ instance }) => instance instanceof of);
    if (!found) throw new Error(`no ${of.name}`);
    return found.instance as T;
  }
}

describeWithShared('the ITS driver on the ITS model', () => {
  describe.each([0, 1] as const)('stallOnError: %d', (stallOnError) => {
    let machine: Machine;

    beforeEach(() => {
      machine = new Machine(stallOnError);
      machine.enable();
    });

    afterEach(() => {
      expect(machine.board.log.entries).toEqual([]);
      expect(machine.host.log.warnings).toEqual([]);
      machine.board.dispose();
    });

    test('each of 32 vectors reaches its handler, spread over the processors', () => {
      const all = Array.from({ length: NR_VECTORS }, (_, vector) => vector);
      expect(machine.raise(...all)).toEqual(all.map((vector) => `${vector}@${vector % 2}`));
    });

    test('a move leads the next one to the other processor', () => {
      machine.host.irqs.setAffinity(machine.virqs[0], [1]);
      expect(machine.raise(0)).toEqual(['0@1']);
      machine.host.irqs.setAffinity(machine.virqs[0], [0]);
      expect(machine.raise(0)).toEqual(['0@0']);
    });

    test('a masked one waits, an unmasked one comes', () => {
      machine.host.irqs.disable(machine.virqs[3]);
      expect(machine.raise(3)).toEqual([]);
      expect(machine.taken(() => machine.host.irqs.enable(machine.virqs[3]))).toEqual(['3@1']);
    });

    test('INT raises one by software', () => {
      const its = machine.driver(GicV3ItsDriver);
      expect(machine.taken(() => its.setPending(machine.virqs[5], true))).toEqual(['5@1']);
    });

    test('a processor goes and comes back', () => {
      const gic = machine.driver(GicV3Driver);
      gic.setOnline(1, false);
      expect(machine.raise(0, 1, 2, 3)).toEqual(['0@0', '1@0', '2@0', '3@0']);
      gic.setOnline(1, true);
      machine.host.irqs.setAffinity(machine.virqs[1], [1]);
      expect(machine.raise(0, 1)).toEqual(['0@0', '1@1']);
    });

    test('disabled, nothing comes; enabled again, everything does', () => {
      machine.disable();
      expect(machine.raise(0, 31)).toEqual([]);
      machine.enable();
      expect(machine.raise(0, 31)).toEqual(['0@0', '31@1']);
    });

    test('a second host finds the hardware as the first one found it', () => {
      machine.disable();
      machine.host.teardown();
      const second = machine.probe();
      expect(second.drivers.map(({ plugin }) => plugin)).toEqual(machine.host.drivers.map(({ plugin }) => plugin));
      expect(second.log.warnings).toEqual([]);
      second.teardown();
    });
  });
});
