// SPDX-License-Identifier: Apache-2.0
// VFIO with real drivers on real models, behind an ITS and an SMMU: each step of attaching, mapping and SET_IRQS fails in its turn, and
// files are closed in every order. What stood before stands afterwards, in memory, tables, bindings, configuration and locked pages.

import { LinuxError } from '@irqkit/core';
import { VIRT_SILICON as ITS_SILICON } from '@irqkit/gic-v3-its';
import { EventFd, Process, VFIO_DEVICE_SET_IRQS, VFIO_EXTENSION, VfioPciDriver, VfioSystem } from '@irqkit/vfio-type1';
import type { VfioContainer, VfioGroup, WindowPolicy } from '@irqkit/vfio-type1';
import { HookedBus } from './support/hooked-bus.js';
import { PCIE, itsPath } from './support/its-platform.js';
import { FAULTS, Faults } from './support/smmu-faults.js';
import type { FaultKind } from './support/smmu-faults.js';
import { held } from './support/smmu-held.js';
import { ITS, SMMU, itsBehindSmmu } from './support/smmu-platform.js';
import { SmmuSystem } from './support/smmu-system.js';
import { SmmuTables } from './support/smmu-tables.js';

const ECAM = 0x3f00_0000;
const MSIX = 2;
/** VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER */
const NONE_TRIGGER = 0x21;
/** VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER */
const EVENTFD_TRIGGER = 0x24;
/** The command register, in the region of configuration space. */
const COMMAND = 7 * 2 ** 40 + 4;
const MEMORY_AND_BUS_MASTER = new Uint8Array([6, 0]);
const NR_VECTORS = 3;
/** Their interrupt translation table is in a page of another kind. */
const NR_BESIDE = 32;
const MOST_STEPS = 200;
const WINDOW = 0x2000_0000;
const MAPPED = 0x1_0000_0000;
const SIZE = 0x4000;

let bus: HookedBus;
let faults: Faults;
let system: SmmuSystem;
let tables: SmmuTables;
let vfio: VfioSystem;

beforeEach(() => {
  faults = new Faults(ITS.base, SMMU.base);
  system = new SmmuSystem({
    firmware: itsBehindSmmu(),
    pcie: PCIE,
    vectors: [NR_VECTORS, NR_BESIDE],
    silicon: { [itsPath(ITS)]: { ...ITS_SILICON, stallOnError: 1 } },
    bus: (own) => (bus = new HookedBus(own)),
  });
  faults.board = system.board;
  bus.hooks = faults;
  tables = new SmmuTables(system.board, SMMU.base);
  // The host lets go of the one function and goes on with the other.
  system.devices[0].disable();
  system.enable(1, NR_BESIDE);
  vfio = new VfioSystem({ host: system.host, driver: new VfioPciDriver({ ...system.host, bus }) });
  vfio.bindDevice(system.devices[0]);
});

afterEach(() => {
  bus.hooks = {};
  system.disable(1);
  system.host.teardown();
  expect(bus.taken).toEqual([]);
  system.board.dispose();
});

/** A process with the group of function 0, whose memory for MAP_DMA is there. */
class User {
  readonly process = new Process({ memory: bus.memory });
  readonly container: VfioContainer;
  readonly group: VfioGroup;
  readonly eventFds = Array.from({ length: NR_VECTORS }, () => new EventFd());
  readonly vaddr: number;
  readonly #triggers: readonly number[];
  deviceFd = -1;

  constructor(policy: WindowPolicy) {
    this.container = vfio.openContainer(this.process, policy);
    this.group = vfio.openGroup(this.process, system.devices[0].iommuGroup!.id);
    this.#triggers = this.eventFds.map((eventFd) => this.process.install(eventFd));
    this.vaddr = this.process.mm.mmap({ sizeBytes: SIZE, unitBytes: 0x1000 });
  }

  setContainer(): void {
    this.group.setContainer(this.container);
  }

  setIommu(): void {
    this.container.setIommu(VFIO_EXTENSION.TYPE1v2_IOMMU);
  }

  map(iova = MAPPED): void {
    this.container.mapDma({ iova, sizeBytes: SIZE, vaddr: this.vaddr, read: true, write: true });
  }

  openDevice(): void {
    if (this.container.policy === 'user') this.container.iommu.provideMsiWindow({ iova: WINDOW, sizeBytes: 0x1000 });
    this.deviceFd = this.group.getDeviceFd(system.devices[0].name, this.process);
    this.process.write(this.deviceFd, COMMAND, MEMORY_AND_BUS_MASTER);
  }

  /** @throws LinuxError */
  setIrqs(fds: readonly number[] = this.#triggers): void {
    this.#setIrqs([EVENTFD_TRIGGER, MSIX, 0, fds.length, ...fds]);
  }

  /** Vectors without eventfds. */
  setNoTriggers(): void {
    this.setIrqs(this.#triggers.map(() => -1));
  }

  disableIrqs(): void {
    this.#setIrqs([NONE_TRIGGER, MSIX, 0, 0]);
  }

  #setIrqs(words: readonly number[]): void {
    const { buffer } = new Int32Array([4 * (words.length + 1), ...words]);
    this.process.file(this.deviceFd).ioctl!(VFIO_DEVICE_SET_IRQS, buffer, this.process);
  }

  /** What each eventfd counts when the function raises every vector. */
  get signalled(): readonly number[] {
    const before = this.eventFds.map(({ count }) => count);
    this.eventFds.forEach((_, vector) => system.raise(0, vector));
    return this.eventFds.map(({ count }, i) => count - before[i]);
  }
}

const SILENT = Array<number>(NR_VECTORS).fill(0);
const LIVE = Array<number>(NR_VECTORS).fill(1);

function look(user?: User): object {
  return {
    ...held({ system, bus, tables, its: ITS.base, ecam: ECAM }),
    handlers: system.host.irqs.all.map(({ actions }) => actions.length),
    signalled: user?.signalled,
    lockedPages: user?.process.mm.lockedPages,
    groups: [user?.group.status, user?.container.groups.length, user?.container.hasIommu],
    info: user?.container.hasIommu && [user.container.iommu.info, user.container.iommu.nrMappings],
  };
}

interface Swept {
  readonly attempt: () => void;
  /** Takes back what went through, having looked at it. */
  readonly undo: () => void;
}

/** Nobody waits for the SMMU to have prefetched a configuration. */
const outcomes = (kind: FaultKind): readonly string[] =>
  kind.startsWith('SMMU') ? [FAULTS[kind], 'done'] : [FAULTS[kind]];

/** Returns how many steps there are. After each that fails the attempt is made once more, and goes through. */
function sweep(user: User, kind: FaultKind, { attempt, undo }: Swept): number {
  const before = look(user);
  for (let k = 1; k < MOST_STEPS; k++) {
    faults.arm(kind, k);
    const outcome = outcomeOf(attempt);
    const through = faults.disarm();
    if (through) expect(outcome).toBe('done');
    else expect([k, outcomes(kind)]).toEqual([k, expect.arrayContaining([outcome])]);
    if (outcome !== 'done') {
      expect([k, look(user)]).toEqual([k, before]);
      attempt();
    }
    undo();
    expect([k, look(user)]).toEqual([k, before]);
    if (through) return k - 1;
  }
  throw new Error(`there are more than ${MOST_STEPS} steps`);
}

function outcomeOf(attempt: () => void): string {
  try {
    attempt();
    return 'done';
  } catch (error) {
    return LinuxError.is(error) ? error.code : String(error);
  }
}

describe.each(['sw-msi', 'user'] as const)('SET_IRQS, %s window', (policy) => {
  let user: User;

  beforeEach(() => {
    user = new User(policy);
    user.setContainer();
    user.setIommu();
    user.openDevice();
    // What the first enabling brings to stay: a page of the device table, a kept binding.
    user.setIrqs();
    user.disableIrqs();
  });

  afterEach(() => user.process.exit());

  const enabling: Swept = {
    attempt: () => user.setIrqs(),
    undo() {
      expect(user.signalled).toEqual(LIVE);
      user.disableIrqs();
    },
  };

  const triggers: Swept = {
    attempt: () => user.setIrqs(),
    undo() {
      expect(user.signalled).toEqual(LIVE);
      user.setNoTriggers();
    },
  };

  test('R19, R22: memory: the interrupt translation table', () => {
    expect(sweep(user, 'memory', enabling)).toBe(1);
  });

  test('R19, R22: writes to the function', () => {
    expect(sweep(user, 'function write', enabling)).toBeGreaterThan(4 * NR_VECTORS);
  });

  // MAPD, and for each vector at least a MAPTI.
  test.each(['ITS refuses', 'ITS hangs'] as const)('R19, R22: commands: the %s', (kind) => {
    expect(sweep(user, kind, enabling)).toBeGreaterThanOrEqual(1 + NR_VECTORS);
  });

  test('R22: writes to the function, while vectors that are enabled get eventfds', () => {
    user.setIrqs();
    user.setNoTriggers();
    expect(sweep(user, 'function write', triggers)).toBeGreaterThanOrEqual(NR_VECTORS);
  });

  test('R22: an ITS that hangs for good does not keep the function', () => {
    user.setIrqs();
    bus.hooks = { write: (address) => address !== ITS.base + 0x88 };
    user.process.exit();
    expect(user.signalled).toEqual(SILENT);
    expect([system.devices[0].msiDescs.length, system.programmed(0)]).toEqual([0, SILENT]);
    expect(system.host.iommus.domainOf(system.devices[0].iommuGroup!).type).toBe('dma');
    bus.hooks = {};
  });

  test('R22: an eventfd that is none, in the last place', () => {
    const before = look(user);
    const [first, second] = [5, 6];
    expect(outcomeOf(() => user.setIrqs([first, second, 99]))).toBe('EBADF');
    expect(look(user)).toEqual(before);
    enabling.attempt();
    enabling.undo();
  });
});

describe('attaching and mapping', () => {
  let user: User;

  beforeEach(() => {
    user = new User('sw-msi');
  });

  afterEach(() => user.process.exit());

  const claiming: Swept = { attempt: () => user.setContainer(), undo: () => user.group.unsetContainer() };

  const attaching: Swept = {
    attempt: () => user.setIommu(),
    undo() {
      user.group.unsetContainer();
      user.setContainer();
    },
  };

  test.each(['SMMU refuses', 'SMMU hangs'] as const)('R22: GROUP_SET_CONTAINER: the %s', (kind) => {
    expect(sweep(user, kind, claiming)).toBeGreaterThan(0);
  });

  test.each(['memory', 'SMMU refuses', 'SMMU hangs'] as const)('R20: SET_IOMMU: %s', (kind) => {
    user.setContainer();
    expect(sweep(user, kind, attaching)).toBeGreaterThan(0);
  });

  test('R21: MAP_DMA: memory for a translation table, after the first pages of four', () => {
    user.setContainer();
    user.setIommu();
    const other = (iova: number): string =>
      outcomeOf(() => user.container.mapDma({ iova, sizeBytes: 0x1000, vaddr: user.vaddr, read: true }));
    // Tables come in chunks: others use up the first, each with a table of its own for 2 MiB.
    expect(other(MAPPED - 0x10_0000)).toBe('done');
    faults.arm('memory', 1);
    for (let at = MAPPED + 0x20_0000; other(at) === 'done'; at += 0x20_0000);
    const before = look(user);
    faults.arm('memory', 1);
    expect(outcomeOf(() => user.map(MAPPED - 0x2000))).toBe('ENOMEM');
    expect([faults.disarm(), look(user)]).toEqual([false, before]);
    user.map(MAPPED - 0x2000);
    for (let at = 0; at < SIZE; at += 0x1000)
      expect(tables.lookup(0x08, MAPPED - 0x2000 + at)).toBe(user.process.mm.physOf(user.vaddr + at));
  });
});

describe.each(['sw-msi', 'user'] as const)('closing with live interrupts, %s window', (policy) => {
  const FILES = ['device', 'group', 'container'] as const;
  type File = (typeof FILES)[number];
  const ORDERS = FILES.flatMap((first) =>
    FILES.filter((file) => file !== first).map((second): readonly File[] => [
      first,
      second,
      FILES.find((file) => file !== first && file !== second)!,
    ]),
  );

  function running(): User {
    const user = new User(policy);
    user.setContainer();
    user.setIommu();
    user.map();
    user.openDevice();
    user.setIrqs();
    expect(user.signalled).toEqual(LIVE);
    expect(system.store(0, MAPPED, 1)).toBe(true);
    return user;
  }

  function close(user: User, file: File): void {
    user.process.close({ device: user.deviceFd, group: user.group.fd, container: user.container.fd }[file]);
  }

  test.each(ORDERS)('R22: %s, %s, %s, and death after each: board and host are as before', (...order) => {
    running().process.exit();
    const before = look();
    for (let closed = 0; closed <= order.length; closed++) {
      const user = running();
      for (const [i, file] of order.slice(0, closed).entries()) {
        close(user, file);
        const open = !order.slice(0, i + 1).includes('device');
        expect([file, user.signalled]).toEqual([file, open ? LIVE : SILENT]);
        expect([file, system.store(0, MAPPED, 1)]).toEqual([file, open]);
      }
      if (closed === order.length) expect(system.host.iommus.domainOf(system.devices[0].iommuGroup!).type).toBe('dma');
      user.process.exit();
      expect(user.signalled).toEqual(SILENT);
      expect(system.store(0, MAPPED, 1)).toBe(false);
      expect([closed, look()]).toEqual([closed, before]);
    }
  });
});
