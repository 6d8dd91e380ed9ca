// SPDX-License-Identifier: Apache-2.0
// R7 with real drivers on real models: whatever fails while the 32 vectors of a function behind an ITS and an SMMU are enabled,
// what stood before stands afterwards, in memory, tables, IOVA space, bindings, and interrupt controllers.

import { LinuxError, physAddr } from '@irqkit/core';
import type { Iova, UserDomain } from '@irqkit/core';
import { VIRT_SILICON as GIC_SILICON } from '@irqkit/gic-v3';
import { VIRT_SILICON as ITS_SILICON } from '@irqkit/gic-v3-its';
import { HookedBus } from './support/hooked-bus.js';
import { GIC, PCIE, itsPath } from './support/its-platform.js';
import { FAULTS, Faults } from './support/smmu-faults.js';
import type { FaultKind } from './support/smmu-faults.js';
import { held } from './support/smmu-held.js';
import { ITS, SMMU, itsBehindSmmu, v2mPlatform } from './support/smmu-platform.js';
import { SmmuSystem, expectAllArrive as expectArrivals } from './support/smmu-system.js';
import { SmmuTables } from './support/smmu-tables.js';

const ECAM = 0x3f00_0000;
const NR_VECTORS = 32;
const NR_BESIDE = 4;
const MOST_STEPS = 400;
const STREAM_IDS = [0x08, 0x10, 0x18];
const WINDOW = 0x2000_0000 as Iova;

let bus: HookedBus;
let faults: Faults;
let system: SmmuSystem;
let tables: SmmuTables;
/** Where function 0 is, if not in its DMA domain. */
let userDomain: UserDomain | undefined;

beforeEach(() => {
  faults = new Faults(ITS.base, SMMU.base);
  userDomain = undefined;
  system = new SmmuSystem({
    firmware: itsBehindSmmu(),
    pcie: PCIE,
    vectors: [NR_VECTORS, NR_BESIDE, NR_VECTORS],
    silicon: { [itsPath(ITS)]: { ...ITS_SILICON, stallOnError: 1 } },
    bus: (own) => (bus = new HookedBus(own)),
  });
  faults.board = system.board;
  bus.hooks = faults;
  tables = new SmmuTables(system.board, SMMU.base);
});

afterEach(() => {
  bus.hooks = {};
  leave();
  system.host.teardown();
  expect(bus.taken).toEqual([]);
  system.board.dispose();
});

/** Function 0 into an unmanaged domain, of a user's window of one page or of SW_MSI. */
function enter(policy: Parameters<typeof system.host.iommus.allocDomain>[2]): void {
  const group = system.devices[0].iommuGroup!;
  userDomain = system.host.iommus.allocDomain(group, 'unmanaged', policy);
  system.host.iommus.attachGroup(userDomain, group);
  userDomain.userWindow?.provide(WINDOW, 0x1000);
}

function leave(): void {
  if (!userDomain) return;
  system.host.iommus.detachGroup(userDomain, system.devices[0].iommuGroup!);
  userDomain.free();
  userDomain = undefined;
}

/** What the first enabling brings to stay: a page of the device table, a chunk of tables, a kept binding; nothing at the function itself. */
function enableOnce(): void {
  const command = (): number => system.devices[0].readConfig(0x04, 2);
  const before = command();
  system.enable(0, NR_VECTORS);
  system.disable(0);
  expect(command()).toBe(before);
}

const look = (): object => held({ system, bus, tables, its: ITS.base, ecam: ECAM });

/** The LPIs that the next function gets show which are free. */
function nextLpis(): readonly number[] {
  system.enable(2, NR_VECTORS);
  const lpis = system.devices[2].msiDescs.map(({ virq }) => system.host.irqs.irqData(virq).parent!.hwirq);
  system.disable(2);
  return lpis;
}

interface Swept {
  readonly attempt: () => void;
  /** Takes back an attempt that went through, or what it did before it failed. */
  readonly undo: () => void;
}

const enabling: Swept = {
  attempt: () => void system.devices[0].enableMsix(NR_VECTORS),
  undo: () => system.devices[0].freeVectors(),
};

/** From a function that no IOMMU knows. */
const configuring: Swept = {
  attempt() {
    system.devices[0].enable();
    system.devices[0].enableMsix(NR_VECTORS);
  },
  undo() {
    system.devices[0].freeVectors();
    system.host.iommus.dmaUnconfigure(system.devices[0]);
  },
};

/** Nobody waits for the SMMU to have prefetched a configuration. */
const outcomes = (kind: FaultKind): readonly string[] =>
  kind.startsWith('SMMU') ? [FAULTS[kind], 'done'] : [FAULTS[kind]];

/** Returns how many steps there are. */
function sweep(kind: FaultKind, { attempt, undo }: Swept): number {
  const lpis = nextLpis();
  const before = look();
  for (let k = 1; k < MOST_STEPS; k++) {
    faults.arm(kind, k);
    let error: unknown;
    try {
      attempt();
    } catch (thrown) {
      error = thrown;
    }
    const through = faults.disarm();
    const outcome = error === undefined ? 'done' : LinuxError.is(error) ? error.code : 'no LinuxError';
    if (through) expect(outcome).toBe('done');
    else expect([k, outcomes(kind)]).toEqual([k, expect.arrayContaining([outcome])]);
    undo();
    expect([k, look()]).toEqual([k, before]);
    if (through) return k - 1;
    expect([k, nextLpis()]).toEqual([k, lpis]);
  }
  throw new Error(`there are more than ${MOST_STEPS} steps`);
}

function expectAllArrive(address: number): void {
  system.enable(0, NR_VECTORS);
  expect(system.messages(0)).toEqual(Array.from({ length: NR_VECTORS }, (_, event) => [address, event]));
  expectArrivals(system, 0);
  system.disable(0);
}

const POLICIES = {
  'a DMA domain': [() => undefined, 0xffff_f040],
  'a user window': [() => enter({ userWindow: true }), WINDOW + 0x40],
  'an SW_MSI window': [() => enter({}), 0x800_0040],
} as const;

describe.each(Object.entries(POLICIES))('R7: in %s, each step of enabling fails in its turn', (_name, policy) => {
  const [enterDomain, address] = policy;

  beforeEach(() => {
    system.enable(1, NR_BESIDE);
    enterDomain();
    enableOnce();
  });

  test('R7: memory: the interrupt translation table', () => {
    expect(sweep('memory', enabling)).toBe(1);
    expectAllArrive(address);
  });

  test('R7: writes to the function', () => {
    // Of each vector at least the masking, three words of the message, and with it masked once more.
    expect(sweep('function write', enabling)).toBeGreaterThan(4 * NR_VECTORS);
    expectAllArrive(address);
  });

  test('R7: commands that the ITS refuses', () => {
    expect(sweep('ITS refuses', enabling)).toBe(1 + NR_VECTORS);
    expectAllArrive(address);
  });

  test('R7: commands that the ITS does not answer', () => {
    expect(sweep('ITS hangs', enabling)).toBe(1 + NR_VECTORS);
    expectAllArrive(address);
  });
});

describe('R7: a function that no IOMMU knows yet, each step of configuring and enabling fails in its turn', () => {
  beforeEach(() => {
    system.enable(1, NR_BESIDE);
    enableOnce();
    system.host.iommus.dmaUnconfigure(system.devices[0]);
  });

  test('R7: memory: a context descriptor, a first table, an interrupt translation table', () => {
    expect(sweep('memory', configuring)).toBe(3);
    system.devices[0].enable();
    expectAllArrive(0xffff_f040);
  });

  // Two SYNCs for the context descriptor, two CMD_CFGI_STEs with one each.
  test.each(['SMMU refuses', 'SMMU hangs'] as const)('R7: commands: the %s', (kind) => {
    // And the prefetch.
    expect(sweep(kind, configuring)).toBe(5);
    system.devices[0].enable();
    expectAllArrive(0xffff_f040);
  });
});

describe('R7: nothing is mapped in the SMMU yet', () => {
  beforeEach(() => {
    const group = system.devices[0].iommuGroup!;
    const identity = system.host.iommus.allocDomain(group, 'identity');
    system.host.iommus.attachGroup(identity, group);
    enableOnce();
    system.host.iommus.detachGroup(identity, group);
    identity.free();
  });

  test('R7: memory for translation tables', () => {
    enter({ userWindow: true });
    const before = look();
    for (const k of [1, 2]) {
      faults.arm('memory', k);
      expect(() => system.devices[0].enableMsix(NR_VECTORS)).toThrow('(ENOMEM)');
      expect([k, faults.disarm(), look()]).toEqual([k, false, before]);
    }
    faults.arm('memory', 3);
    expectAllArrive(WINDOW + 0x40);
    expect(faults.disarm()).toBe(true);
  });

  test('R7: IOVAs of a DMA domain', () => {
    const { iovas } = system.dmaDomain(0);
    iovas.reserve(0 as Iova, iovas.last + 1);
    const before = look();
    expect(() => system.devices[0].enableMsix(NR_VECTORS)).toThrow('(ENOSPC)');
    expect(look()).toEqual(before);
    enter({});
    expectAllArrive(0x800_0040);
  });

  test('R7, R19: a user window that is full', () => {
    enter({ userWindow: true });
    const other = { globalDoorbell: physAddr(0x90b_0040), sizeBytes: 4, prot: 26, irqRemapping: true };
    userDomain!.msiBindings!.bind(other);
    const before = look();
    expect(() => system.devices[0].enableMsix(NR_VECTORS)).toThrow('(ENOSPC)');
    expect(look()).toEqual(before);
    userDomain!.msiBindings!.unbind(other);
    expectAllArrive(WINDOW + 0x40);
  });

  test('R7: a mapping that is in the way', () => {
    enter({ userWindow: true });
    userDomain!.map(WINDOW, physAddr(0x4000_0000), 0x1000, 3);
    const before = look();
    expect(() => system.devices[0].enableMsix(NR_VECTORS)).toThrow('(EEXIST)');
    expect(look()).toEqual(before);
    userDomain!.unmap(WINDOW, 0x1000);
    expectAllArrive(WINDOW + 0x40);
  });
});

describe('R7: hwirqs run out', () => {
  // Of 64 SPIs, 40 are taken: the 25th vector finds none. Of 8192 LPIs, all are.
  test.each([
    ['SPIs of a GICv2m frame', () => ({ firmware: v2mPlatform(0x802_0000) }), [40]],
    [
      'LPIs',
      () => ({
        firmware: itsBehindSmmu(),
        // GICD_TYPER.IDbits, bits 23:19, is 13: INTIDs of 14 bits.
        silicon: { [GIC]: { ...GIC_SILICON, GICD_TYPER: 0x036a_0007 } },
      }),
      [2048, 2048, 2048, 2048],
    ],
  ] as const)('R7: %s', (_name, facts, others) => {
    const own = new SmmuSystem({ ...facts(), pcie: PCIE, vectors: [NR_VECTORS, ...others] });
    const ownTables = new SmmuTables(own.board, SMMU.base);
    others.forEach((nr, i) => own.enable(1 + i, nr));
    const group = own.devices[0].iommuGroup!;
    const domain = own.host.iommus.allocDomain(group, 'unmanaged', { userWindow: true });
    own.host.iommus.attachGroup(domain, group);
    domain.userWindow!.provide(WINDOW, 0x1000);
    const ownHeld = (): object => ({
      irqs: own.host.irqs.all.length,
      mapped: own.devices[0].msiDomain!.nrMapped,
      bindings: own.devices.map((_, which) => own.domain(which).msiBindings!.bindings),
      busy: domain.userWindow!.busy,
      tables: ownTables.descriptors(STREAM_IDS[0]),
    });
    const before = ownHeld();
    expect(() => own.enable(0, NR_VECTORS)).toThrow('(ENOSPC)');
    expect(ownHeld()).toEqual(before);
    own.disable(1);
    own.enable(0, NR_VECTORS);
    expectArrivals(own, 0);
    own.disable(0);
    own.host.iommus.detachGroup(domain, group);
    domain.free();
    own.host.teardown();
    own.board.dispose();
  });
});
