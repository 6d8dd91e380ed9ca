// SPDX-License-Identifier: Apache-2.0
// R7 for vectors, with real drivers on real models: whatever fails while a function's 32 vectors are enabled, memory or a command,
// what stood before stands afterwards.

import { LinuxError, physAddr } from '@irqkit/core';
import type { Bus, MmioRegion } from '@irqkit/core';
import { VIRT_SILICON } from '@irqkit/gic-v3-its';
import type { ItsFacts } from './support/its-platform.js';
import { PCIE, itsPath, itsPlatform } from './support/its-platform.js';
import { ItsSystem } from './support/its-system.js';

const ITS: ItsFacts = { base: 0x808_0000, phandle: 2 };
const GITS_CWRITER = 0x88;
/** No command has this number. */
const NO_COMMAND = 0xee;
const NR_VECTORS = 32;
const MOST_STEPS = 200;

/** Counts down to the fault. */
class Fault {
  #left = 0;

  arm(k: number): void {
    this.#left = k;
  }

  /** True where it has not come to pass. */
  disarm(): boolean {
    const armed = this.#left > 0;
    this.#left = 0;
    return armed;
  }

  get isNow(): boolean {
    return this.#left > 0 && --this.#left === 0;
  }
}

class FaultyBus implements Bus {
  readonly cpus: Bus['cpus'];
  readonly memory: Bus['memory'];
  readonly memoryFault = new Fault();
  readonly commandFault = new Fault();
  readonly buffers = new Map<number, number>();
  readonly #behind = new Map<MmioRegion, MmioRegion>();
  readonly #bus: Bus;
  readonly #store: (at: number, byte: number) => void;

  /** `store` puts a byte into RAM. */
  constructor(bus: Bus, store: (at: number, byte: number) => void) {
    this.#bus = bus;
    this.#store = store;
    this.cpus = bus.cpus;
    this.memory = {
      alloc: (sizeBytes, align) => {
        if (this.memoryFault.isNow) throw new LinuxError('ENOMEM', 'no memory, by order of the test');
        const buffer = bus.memory.alloc(sizeBytes, align);
        this.buffers.set(buffer.base, buffer.sizeBytes);
        return buffer;
      },
      free: (buffer) => {
        bus.memory.free(buffer);
        this.buffers.delete(buffer.base);
      },
    };
  }

  map(region: Parameters<Bus['map']>[0]): MmioRegion {
    const own = this.#bus.map(region);
    if (region.base !== ITS.base) return own;
    const write: MmioRegion['write'] = (offset, value, size) => {
      const word = (at: number): number => own.read(at, 4);
      const slot = word(GITS_CWRITER) % 0x10_0000;
      // The first command of those that the driver posts now becomes one that the ITS refuses.
      if (offset === GITS_CWRITER && value !== slot && this.commandFault.isNow)
        this.#store((word(0x84) % 0x10_0000) * 2 ** 32 + word(0x80) - (word(0x80) % 0x1000) + slot, NO_COMMAND);
      own.write(offset, value, size);
    };
    const faulty: MmioRegion = {
      base: own.base,
      sizeBytes: own.sizeBytes,
      at: (offset) => own.at(offset),
      read: (offset, size) => own.read(offset, size),
      write,
      write64: (offset, lo, hi) => own.write64(offset, lo, hi),
    };
    this.#behind.set(faulty, own);
    return faulty;
  }

  unmap(region: MmioRegion): void {
    this.#bus.unmap(this.#behind.get(region) ?? region);
  }
}

describe('R7: enabling 32 vectors, each step failing in its turn', () => {
  let bus: FaultyBus;
  let system: ItsSystem;

  beforeEach(() => {
    system = new ItsSystem({
      firmware: itsPlatform({ nrCpus: 2, itss: [ITS], msiMap: [0, ITS.phandle, 0, 0x1_0000] }),
      pcie: PCIE,
      vectors: [NR_VECTORS, 4, NR_VECTORS],
      silicon: { [itsPath(ITS)]: { ...VIRT_SILICON, stallOnError: 1 } },
      bus: (own) => (bus = new FaultyBus(own, (at, byte) => storeByte(at, byte))),
    });
    system.enable(1, 4);
    // The page of the device table that the function is in stays.
    system.enable(0, NR_VECTORS);
    system.disable(0);
  });

  // The board is there before its bus is used.
  const storeByte = (at: number, byte: number): void => {
    system.board.ram.store(physAddr(at), Uint8Array.of(byte));
  };

  afterEach(() => {
    system.host.teardown();
    expect([...bus.buffers]).toEqual([]);
    system.board.dispose();
  });

  /** All that can be seen of what is held. */
  const held = (): unknown => {
    const { irqs } = system.host;
    const bytes = new Uint8Array(8 * 0x20);
    const baser = (at: number): number => system.board.access.read(physAddr(ITS.base + at), 4, 0);
    system.board.ram.load(physAddr(baser(0x100) - (baser(0x100) % 0x1000)), bytes);
    return {
      deviceTable: [...bytes],
      memory: [...bus.buffers].sort(([a], [b]) => a - b),
      irqs: irqs.all.map(({ virq }) => virq),
      mapped: system.devices.map(({ msiDomain }) => [msiDomain!.nrMapped, msiDomain!.parent!.nrMapped]),
      descs: system.devices.map(({ msiDescs }) => msiDescs.length),
      answers: system.taken(() => {
        for (let vector = 0; vector < NR_VECTORS; vector++) system.raise(0, vector);
        for (let vector = 0; vector < 4; vector++) system.raise(1, vector);
      }),
    };
  };

  /** The LPIs that the next function gets show which are free. */
  const nextLpis = (): readonly number[] => {
    system.enable(2, NR_VECTORS);
    const lpis = system.devices[2].msiDescs.map(({ virq }) => system.host.irqs.irqData(virq).parent!.hwirq);
    system.disable(2);
    return lpis;
  };

  const sweep = (fault: Fault, code: 'ENOMEM' | 'EIO'): number => {
    const lpis = nextLpis();
    const before = held();
    for (let k = 1; k < MOST_STEPS; k++) {
      fault.arm(k);
      let error: unknown;
      try {
        system.devices[0].enableMsix(NR_VECTORS);
      } catch (thrown) {
        error = thrown;
      }
      if (fault.disarm()) {
        expect(error).toBeUndefined();
        system.devices[0].freeVectors();
        expect(held()).toEqual(before);
        return k - 1;
      }
      expect([k, LinuxError.is(error, code)]).toEqual([k, true]);
      expect([k, held()]).toEqual([k, before]);
      expect([k, nextLpis()]).toEqual([k, lpis]);
    }
    throw new Error(`enabling takes more than ${MOST_STEPS} steps`);
  };

  test('R7: memory', () => {
    expect(sweep(bus.memoryFault, 'ENOMEM')).toBe(1);
    expect(system.host.log.warnings).toEqual([]);
  });

  test('R7: commands, MAPD and each MAPTI refused by an ITS that stalls', () => {
    expect(sweep(bus.commandFault, 'EIO')).toBe(1 + NR_VECTORS);
  });

  test('R7: after any of it, all 32 vectors arrive', () => {
    bus.commandFault.arm(7);
    expect(() => system.enable(0, NR_VECTORS)).toThrow('(EIO)');
    system.enable(0, NR_VECTORS);
    for (let vector = 0; vector < NR_VECTORS; vector++)
      expect(system.taken(() => system.raise(0, vector))).toEqual([expect.stringMatching(`^0.${vector}@`)]);
  });
});
