// SPDX-License-Identifier: Apache-2.0
// The ITS cases of kvm-unit-tests (arm/gic.c) by their names: real drivers on real models. What the driver has no call for goes into
// its command queue from outside.

import { readFileSync } from 'node:fs';
import { physAddr } from '@irqkit/core';
import type { Firmware } from '@irqkit/core';
import { firmwareFromFdt } from '@irqkit/fdt';
import { GicV3ItsDriver } from '@irqkit/gic-v3-its';
import { describeWithShared, sharedPath } from '@irqkit-test/env';
import { itsPlatform, PCIE } from './support/its-platform.js';
import { ItsQueue, words } from './support/its-queue.js';
import { ItsSystem } from './support/its-system.js';

const ITS = 0x808_0000;
const GICR = 0x80a_0000;
const FIRST_LPI = 8192;

/** Functions 00:01.0 and 00:02.0, and the vectors that the cases use. */
const A = 0;
const B = 1;
const DEVICE_ID = [0x08n, 0x10n];
const VECTORS = [32, 256];
const EVENT = [20, 255];
/** LPIs are given out from 8192 in blocks: 32 of A, then 256 of B. */
const LPI = [FIRST_LPI + EVENT[A], FIRST_LPI + 32 + EVENT[B]];

const INV = (device: number) => words((DEVICE_ID[device] << 32n) | 0x0cn, BigInt(EVENT[device]));
const INT = (device: number) => words((DEVICE_ID[device] << 32n) | 0x03n, BigInt(EVENT[device]));
const INVALL = (icid: bigint) => words(0x0dn, 0n, icid);
const MAPC = (icid: bigint, rdbase: bigint, valid: bigint) => words(0x09n, 0n, (valid << 63n) | (rdbase << 16n) | icid);
const MAPD_INVALID = (device: number) => words((DEVICE_ID[device] << 32n) | 0x08n);
const MOVALL = (from: bigint, to: bigint) => words(0x0en, 0n, from << 16n, to << 16n);

class Guest extends ItsSystem {
  readonly queue = new ItsQueue(this.board, ITS);
  readonly #its = this.driver(GicV3ItsDriver);

  /** Two functions, a vector of one led to processor 3, of the other to processor 2. */
  constructor(firmware: Firmware, pcie: string) {
    super({ firmware, pcie, vectors: VECTORS });
    for (const device of [A, B]) {
      this.enable(device, VECTORS[device]);
      this.host.irqs.setAffinity(this.virq(device, EVENT[device]), [3 - device]);
    }
  }

  /** INT, by the driver. */
  int(device: number): readonly string[] {
    return this.taken(() => this.#its.setPending(this.virq(device, EVENT[device]), true));
  }

  /** What the function's own message raises. */
  msi(device: number): readonly string[] {
    return this.taken(() => this.raise(device, EVENT[device]));
  }

  issue(...commands: readonly Uint32Array[]): readonly string[] {
    return this.taken(() => this.queue.issue(...commands));
  }

  /** The LPI's byte in the configuration table, behind the driver's back. */
  configure(lpi: number, enabled: boolean): void {
    const read = (offset: number): number => this.board.access.read(physAddr(GICR + offset), 4, 0);
    const table = (read(0x74) % 0x10_0000) * 2 ** 32 + (read(0x70) - (read(0x70) % 0x1000));
    const at = physAddr(table + lpi - FIRST_LPI);
    const byte = new Uint8Array(1);
    this.board.ram.load(at, byte);
    this.board.ram.store(at, Uint8Array.of(enabled ? byte[0] | 1 : byte[0] & ~1));
  }
}

function cases(platform: () => { readonly firmware: Firmware; readonly pcie: string }): void {
  const guests: Guest[] = [];
  const start = (): Guest => {
    const { firmware, pcie } = platform();
    const guest = new Guest(firmware, pcie);
    guests.push(guest);
    return guest;
  };
  const shownA = `${A}.${EVENT[A]}@3`;
  const shownB = `${B}.${EVENT[B]}@2`;

  afterEach(() => {
    for (const guest of guests.splice(0)) {
      expect(guest.host.log.warnings).toEqual([]);
      guest.board.dispose();
    }
  });

  test('its-introspection: GITS_TYPER, and a device and a collection table in GITS_BASER<n>', () => {
    const guest = start();
    const region = guest.board.bus.map({ base: physAddr(ITS), sizeBytes: 0x1_0000 });
    const read64 = (offset: number): bigint =>
      (BigInt(region.read(offset + 4, 4)) << 32n) | BigInt(region.read(offset, 4));
    const typer = read64(0x8);
    expect(typer & 1n).toBe(1n);
    expect((typer >> 19n) & 1n).toBe(0n);
    expect(Number((typer >> 8n) & 0x1fn) + 1).toBe(16);
    expect(Number((typer >> 13n) & 0x1fn) + 1).toBe(16);
    const basers = Array.from({ length: 8 }, (_, n) => read64(0x100 + 8 * n));
    const types = basers.map((baser) => Number((baser >> 56n) & 7n));
    expect(types).toEqual([1, 4, 0, 0, 0, 0, 0, 0]);
    for (const baser of basers.slice(0, 2)) {
      expect(baser >> 63n).toBe(1n);
      expect(Number((baser >> 48n) & 0x1fn) + 1).toBe(8);
    }
    expect(read64(0x80) >> 63n).toBe(1n);
    region.write(0x8, 0xffff_ffff, 4);
    expect(read64(0x8)).toBe(typer);
  });

  test('its-trigger: INT to two devices on two processors, each with the LPI of its block', () => {
    const guest = start();
    const lpis = [A, B].map((device) => guest.host.irqs.irqData(guest.virq(device, EVENT[device])).parent?.hwirq);
    expect(lpis).toEqual(LPI);
    expect(guest.int(A)).toEqual([shownA]);
    expect(guest.int(B)).toEqual([shownB]);
    expect([guest.msi(A), guest.msi(B)]).toEqual([[shownA], [shownB]]);
  });

  test('its-trigger: disabled in the table and INV, it is silent; enabled again and INVALL, it fires', () => {
    const guest = start();
    guest.configure(LPI[A], false);
    guest.issue(INV(A));
    expect(guest.int(A)).toEqual([]);
    expect(guest.int(B)).toEqual([shownB]);
    guest.configure(LPI[A], true);
    expect(guest.int(A)).toEqual([]);
    expect(guest.issue(INVALL(3n))).toEqual([shownA]);
    expect(guest.int(A)).toEqual([shownA]);
  });

  test('its-trigger: after MAPD V=0 the device is silent, and the other is not', () => {
    const guest = start();
    guest.issue(MAPD_INVALID(A));
    expect(guest.issue(INT(A))).toEqual([]);
    expect([guest.msi(A), guest.msi(B)]).toEqual([[], [shownB]]);
  });

  test('its-migration: saved and restored elsewhere, both devices fire where they did', () => {
    const [before, after] = [start(), start()];
    before.host.irqs.setAffinity(before.virq(A, EVENT[A]), [1]);
    after.host.irqs.setAffinity(after.virq(A, EVENT[A]), [1]);
    after.board.restore(structuredClone(before.board.save()));
    expect([after.int(A), after.int(B)]).toEqual([[`${A}.${EVENT[A]}@1`], [shownB]]);
    expect([after.msi(A), after.msi(B)]).toEqual([[`${A}.${EVENT[A]}@1`], [shownB]]);
  });

  test('its-migration: affinity moves take what is pending along, MOVALL all of a processor', () => {
    const guest = start();
    const { irqs } = guest.host;
    const moved = guest.taken(() =>
      irqs.withIrqsDisabled(() => {
        guest.raise(A, EVENT[A]);
        irqs.setAffinity(guest.virq(A, EVENT[A]), [0]);
      }),
    );
    expect(moved).toEqual([`${A}.${EVENT[A]}@0`]);
    const all = guest.taken(() =>
      irqs.withIrqsDisabled(() => {
        guest.raise(B, EVENT[B]);
        guest.queue.issue(MOVALL(2n, 1n));
      }),
    );
    expect(all).toEqual([`${B}.${EVENT[B]}@1`]);
    expect(guest.msi(B)).toEqual([shownB]);
  });

  test('its-migrate-unmapped-collection: silent until the collection is mapped again', () => {
    const [before, after] = [start(), start()];
    before.issue(MAPC(3n, 3n, 0n));
    after.board.restore(structuredClone(before.board.save()));
    expect(after.int(B)).toEqual([shownB]);
    expect(after.issue(INT(A))).toEqual([]);
    expect(after.issue(MAPC(3n, 3n, 1n), INVALL(3n))).toEqual([]);
    expect(after.issue(INT(A))).toEqual([shownA]);
    expect(after.msi(A)).toEqual([shownA]);
  });

  test('its-pending-migration: 256 LPIs, pending on two processors when they are saved, arrive once each', () => {
    const [before, after] = [start(), start()];
    const vectors = Array.from({ length: 256 }, (_, vector) => vector);
    for (const guest of [before, after])
      for (const vector of vectors) guest.host.irqs.setAffinity(guest.virq(B, vector), [vector % 2]);
    const wanted = vectors.map((vector) => `${B}.${vector}@${vector % 2}`).sort();
    let saved: ReturnType<typeof before.board.save> | undefined;
    const onTheFirst = before.taken(() =>
      before.host.irqs.withIrqsDisabled(() => {
        for (const vector of vectors) before.raise(B, vector);
        saved = structuredClone(before.board.save());
      }),
    );
    expect([...onTheFirst].sort()).toEqual(wanted);
    const onTheSecond = after.taken(() => after.board.restore(saved!));
    expect([...onTheSecond].sort()).toEqual(wanted);
    expect(after.taken(() => after.raise(B, 0))).toEqual([`${B}.0@0`]);
  });
}

describe('kvm-unit-tests on a platform of our own', () => {
  cases(() => ({
    firmware: itsPlatform({ nrCpus: 4, itss: [{ base: ITS, phandle: 2 }], msiMap: [0, 2, 0, 0x1_0000] }),
    pcie: PCIE,
  }));
});

describeWithShared("kvm-unit-tests on QEMU's virt", () => {
  cases(() => ({
    firmware: firmwareFromFdt(
      readFileSync(sharedPath('data', 'dtb', 'qemu', 'virt-gic3-its-iommu_none-virt_on-smp4.dtb')),
    ),
    pcie: '/pcie@10000000',
  }));
});
