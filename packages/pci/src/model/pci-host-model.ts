// SPDX-License-Identifier: Apache-2.0
// A host bridge that is all ECAM and windows: compatible "pci-host-ecam-generic". Devicetree: pci/host-generic-pci.yaml; PCI
// Express Base Specification 7.2.2.

import { MODEL_CONTEXT, inject, injectable } from '@irqkit/core';
import type { AccessSize, AddressRange, MmioModel, Model, ModelContext, State } from '@irqkit/core';
import { ABSENT, CONFIG_SPACE_BYTES, ECAM, PHYS_HI, PHYS_HI_SPACE } from '../regs.js';
import { IntxRouter } from './intx-router.js';
import { PciBridgeModel } from './pci-bridge-model.js';
import { PciBusModel } from './pci-bus-model.js';
import type { PciFunctionModel } from './pci-function-model.js';
import { asPciSlots } from './pci-slot.js';

@injectable()
export class PciHostModel implements Model {
  readonly frames: readonly MmioModel[];
  readonly windows: NonNullable<Model['windows']>;
  /** The bus that the host bridge itself is on. */
  readonly rootBus = new PciBusModel();
  readonly #firstBus: number;
  readonly #lastBus: number;
  #routes: (PciBusModel | undefined)[] | undefined;

  /** @throws LinuxError EINVAL for something plugged in that is no PciSlot or cannot be where it is; EPROBE_DEFER */
  constructor(@inject(MODEL_CONTEXT) context: ModelContext) {
    const { node, ports, log } = context;
    const slots = asPciSlots(context.plugged, node.path);
    const [firstBus = 0, lastBus = 255] = node.u32s('bus-range') ?? [];
    this.#firstBus = firstBus;
    this.#lastBus = lastBus;
    const intx = new IntxRouter(context, firstBus, [...new Set(slots.map(({ device }) => device))]);
    this.frames = [this.#ecam()];
    this.windows = node.ranges
      .filter(({ flags }) => PHYS_HI.space(flags) !== PHYS_HI_SPACE.CONFIGURATION)
      .map((range) => ({
        region: { base: range.parentBase, sizeBytes: range.sizeBytes },
        model: PHYS_HI.space(range.flags) === PHYS_HI_SPACE.IO ? this.#ioWindow(log) : this.#memoryWindow(range),
      }));
    this.rootBus.populate(
      {
        firstBus,
        log,
        port: (requesterId) => ports.port(requesterId),
        driveIntx: (device, pin, level) => intx.drive(device, pin, level),
        forgetRoutes: () => {
          this.#routes = undefined;
        },
      },
      slots,
    );
  }

  /** The function at that place as buses are numbered now. */
  functionAt(bus: number, device: number, fn: number): PciFunctionModel | undefined {
    return this.#busAt(bus)?.at(device * 8 + fn);
  }

  save(): State {
    return this.rootBus.save();
  }

  restore(state: State): void {
    this.rootBus.restore(state);
    this.#routes = undefined;
  }

  #ecam(): MmioModel {
    return {
      read: (offset, size) => {
        const fn = this.#configTarget(offset);
        return fn ? fn.readConfig(ECAM.Register(offset), size) : ones(size);
      },
      write: (offset, value, size) => this.#configTarget(offset)?.writeConfig(ECAM.Register(offset), value, size),
    };
  }

  #memoryWindow({ childBase }: AddressRange): MmioModel {
    return {
      read: (offset, size) => this.rootBus.read(childBase + offset, size),
      write: (offset, value, size) => this.rootBus.write(childBase + offset, value, size),
      write64: (offset, lo, hi) => this.rootBus.write64(childBase + offset, lo, hi),
    };
  }

  #ioWindow(log: ModelContext['log']): MmioModel {
    // UNIMP: I/O space accesses
    return {
      read: (offset, size) => {
        log.unimp('PCI: I/O space read at 0x%x', offset);
        return ones(size);
      },
      write: (offset) => log.unimp('PCI: I/O space write at 0x%x', offset),
    };
  }

  #configTarget(offset: number): PciFunctionModel | undefined {
    const bus = this.#busAt(this.#firstBus + Math.floor(offset / ECAM.bytesPerBus));
    if (bus?.bridge?.hidesExtendedSpace && ECAM.Register(offset) >= CONFIG_SPACE_BYTES.CONVENTIONAL) return undefined;
    return bus?.at(ECAM.devfn(offset));
  }

  #busAt(number: number): PciBusModel | undefined {
    this.#routes ??= this.#route();
    return this.#routes[number];
  }

  // A type 1 access goes down the first bridge whose [secondary, subordinate] has the bus, and no further than its range.
  #route(): (PciBusModel | undefined)[] {
    const routes: (PciBusModel | undefined)[] = [];
    const claimed = new Set<number>();
    const descend = (bus: PciBusModel, first: number, last: number): void => {
      for (const bridge of bus.functions) {
        if (!(bridge instanceof PciBridgeModel)) continue;
        const { secondaryBus, subordinateBus } = bridge;
        const low = Math.max(first, secondaryBus);
        const high = Math.min(last, subordinateBus);
        if (secondaryBus >= first && secondaryBus <= last && !claimed.has(secondaryBus) && high >= low) {
          routes[secondaryBus] = bridge.behind;
          claimed.add(secondaryBus);
          descend(bridge.behind, low + 1, high);
        }
        for (let number = low; number <= high; number++) claimed.add(number);
      }
    };
    routes[this.#firstBus] = this.rootBus;
    descend(this.rootBus, this.#firstBus + 1, this.#lastBus);
    return routes;
  }
}

function ones(size: AccessSize): number {
  return ABSENT % 2 ** (8 * size);
}
