// SPDX-License-Identifier: Apache-2.0
import { commands, KVM_LAYOUT_SILICON, VIRT_SILICON } from '@irqkit/gic-v3-its';
import { runs, seed } from '@irqkit-test/env';
import fc from 'fast-check';
import { CPU, ItsRig, POOL, QUEUE, RAM_BASE, RAM_BYTES, command, device } from './its-rig.js';
import type { CommandName } from './its-rig.js';
import { ReferenceIts } from './reference.js';
import { walkTables } from './table-walk.js';

/** Something that happens to an ITS. */
type Step =
  | { readonly kind: 'command'; readonly words: Uint32Array }
  | { readonly kind: 'msi'; readonly deviceId: number; readonly eventId: number }
  | { readonly kind: 'drop' };

// Few values, that meet often, and the edges of every range. Tables of devices lie where entries of 8 and of 12 bytes
// coincide when two devices get the same memory; the last one is cut by the end of memory.
const deviceIds = fc.constantFrom(0, 1, 2, 3, 257, 8191, 8192, 0xffff, 0xffff_ffff);
const eventIds = fc.constantFrom(0, 1, 2, 7, 8, 31, 32, 700, 1023, 8192, 8193, 0xffff, 0x1_0000, 0xffff_ffff);
const lpis = fc.constantFrom(8192, 8193, 8194, 9000, 0xffff, 0, 8191, 0x1_0000, 0xffff_ffff);
const icids = fc.constantFrom(0, 1, 2, 3, 8191, 8192, 0xffff);
const rdbases = fc.constantFrom(0, 1, 2, 3, 4, 0x80a, 0xf_ffff);
const sizes = fc.constantFrom(0, 1, 4, 9, 15, 16, 31);
const itts = fc.constantFrom(0, 1, 1, 2, 58).map((n) => POOL + n * 0x3000);
const outside = fc.constantFrom(0, RAM_BASE + RAM_BYTES, 2 ** 52 - 256);
const flag = fc.constantFrom(1, 1, 1, 0);

const fields: Readonly<Record<string, fc.Arbitrary<number>>> = {
  DeviceID: deviceIds,
  EventID: eventIds,
  pINTID: lpis,
  ICID: icids,
  RDbase: rdbases,
  RDbase1: rdbases,
  RDbase2: rdbases,
  Size: sizes,
  ITT_addr: fc.oneof({ weight: 9, arbitrary: itts }, { weight: 1, arbitrary: outside }),
  V: flag,
};

function commandNamed(name: CommandName): fc.Arbitrary<Uint32Array> {
  const own = Object.entries(commands[name]).filter(([, field]) => typeof field === 'function');
  return fc
    .record(Object.fromEntries(own.map(([field]) => [field, fields[field]])))
    .map((contents) => command(name, contents));
}

const usualIds = fc.constantFrom(0, 1, 2, 3);

/** The commands that get somewhere: few devices, collections that are mapped. */
const usual = fc.oneof(
  fc
    .tuple(usualIds, fc.constantFrom(1, 4, 9, 13), itts)
    .map(([DeviceID, Size, ITT_addr]) => command('MAPD', { DeviceID, Size, ITT_addr, V: 1 })),
  fc.tuple(usualIds, usualIds).map(([ICID, RDbase]) => command('MAPC', { ICID, RDbase, V: 1 })),
  fc
    .tuple(usualIds, usualIds, fc.integer({ min: 8192, max: 8210 }), usualIds)
    .map(([DeviceID, EventID, pINTID, ICID]) => command('MAPTI', { DeviceID, EventID, pINTID, ICID })),
  fc
    .tuple(fc.constantFrom<CommandName>('INT', 'CLEAR', 'INV', 'DISCARD'), usualIds, usualIds)
    .map(([name, DeviceID, EventID]) => command(name, { DeviceID, EventID })),
  fc
    .tuple(usualIds, usualIds, usualIds)
    .map(([DeviceID, EventID, ICID]) => command('MOVI', { DeviceID, EventID, ICID })),
);

/** Where every stream begins: devices 0-3 with four events each, collections 0-3. */
const PROLOGUE: readonly Step[] = [0, 1, 2, 3].flatMap((id) =>
  [
    command('MAPD', { DeviceID: id, Size: 1, ITT_addr: POOL + id * 0x3000, V: 1 }),
    command('MAPC', { ICID: id, RDbase: id, V: 1 }),
    ...[0, 1, 2, 3].map((EventID) =>
      command('MAPTI', { DeviceID: id, EventID, pINTID: 8192 + id * 4 + EventID, ICID: EventID }),
    ),
  ].map((words): Step => ({ kind: 'command', words })),
);

const NAMES: readonly CommandName[] = [
  ...(['MOVI', 'INT', 'CLEAR', 'SYNC', 'MAPD', 'MAPC', 'MAPTI', 'MAPI', 'INV', 'INVALL', 'MOVALL', 'DISCARD'] as const),
];

const raw = fc
  .array(fc.integer({ min: 0, max: 0xffff_ffff }), { minLength: 8, maxLength: 8 })
  .filter((words) => (words[0] & 0xff) !== 0x08)
  .map((words) => Uint32Array.from(words));

const words = fc.oneof(
  { weight: 6, arbitrary: usual },
  { weight: 6, arbitrary: fc.oneof(...NAMES.map(commandNamed)) },
  { weight: 1, arbitrary: raw },
);

const steps = fc
  .array(
    fc.oneof<[fc.WeightedArbitrary<Step>, ...fc.WeightedArbitrary<Step>[]]>(
      { weight: 4, arbitrary: words.map((each) => ({ kind: 'command', words: each })) },
      {
        weight: 4,
        arbitrary: fc
          .tuple(fc.oneof(usualIds, deviceIds), fc.oneof(usualIds, eventIds))
          .map(([deviceId, eventId]) => ({ kind: 'msi', deviceId, eventId })),
      },
      { weight: 1, arbitrary: fc.constant({ kind: 'drop' }) },
    ),
    { maxLength: 100, size: 'max' },
  )
  .map((list) => [...PROLOGUE, ...list]);

/** What the redistributors are told in one step. */
function take(rig: ItsRig, step: Step, dropping: boolean): string[] {
  if (step.kind === 'msi') return rig.msi(step.deviceId, step.eventId);
  if (step.kind === 'command') rig.send(step.words);
  else if (dropping) rig.model.dropCaches();
  return rig.calls();
}

function refer(reference: ReferenceIts, step: Step): string[] {
  if (step.kind === 'msi') return reference.msi(step.deviceId, step.eventId);
  if (step.kind === 'drop') return [];
  return reference.run([0, 1, 2, 3].map((d) => (BigInt(step.words[d * 2 + 1]) << 32n) | BigInt(step.words[d * 2])));
}

describe.each([
  ['KVM revision 0', KVM_LAYOUT_SILICON, 8],
  ['QEMU 7.2', VIRT_SILICON, 12],
])('random commands and MSIs, tables of %s', (_, silicon, iteBytes) => {
  const limits = {
    deviceIds: 8192,
    eventIds: 0x1_0000,
    collections: 8192,
    redistributors: 4,
    idBits: 16,
    iteBytes,
    ramBase: RAM_BASE,
    ramBytes: RAM_BYTES,
  };

  test('do what a reference of plain Maps does', () => {
    let told = 0;
    fc.assert(
      fc.property(steps, (list) => {
        const rig = new ItsRig({ silicon }).enable();
        const reference = new ReferenceIts(limits);
        for (const step of list) {
          const expected = refer(reference, step);
          expect(take(rig, step, true)).toEqual(expected);
          told += expected.length;
        }
        expect(rig.read64(0x90)).toBe(rig.read64(0x88));
      }),
      { seed, numRuns: runs(300, 3000) },
    );
    expect(told).toBeGreaterThan(runs(3000, 30_000));
  });

  test('do the same whenever caches are dropped', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const keeping = new ItsRig({ silicon }).enable();
        const dropping = new ItsRig({ silicon }).enable();
        for (const step of list) expect(take(dropping, step, true)).toEqual(take(keeping, step, false));
        expect(Buffer.compare(dropping.ram.bytes, keeping.ram.bytes)).toBe(0);
        expect(dropping.model.save()).toEqual(keeping.model.save());
      }),
      { seed, numRuns: runs(200, 3000) },
    );
  });
});

/** A generator of 32-bit numbers: a million steps are too many to keep for shrinking. */
function numbers(state: number): { below(limit: number): number; word(): number } {
  const word = (): number => {
    state = (state + 0x6d2b_79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  return { word, below: (limit) => word() % limit };
}

describe('a hostile guest', () => {
  test('brings no exception, and no delivery that the tables do not hold', () => {
    const { word, below } = numbers(seed);
    const rig = new ItsRig().enable();
    let deliveries = 0;
    let current: readonly [number, number] | undefined;
    const { setPending } = rig.redistributors;
    rig.redistributors.setPending = (target, intid) => {
      // Of a command, the event is in the queue where GITS_CREADR stands.
      const base = Number((rig.read64(0x80) >> 12n) & 0xff_ffff_ffffn) * 0x1000 + rig.read(0x90);
      const [deviceId, eventId] = current ?? [
        rig.ram.view.getUint32(base - RAM_BASE + 4, true),
        rig.ram.view.getUint32(base - RAM_BASE + 8, true),
      ];
      if (walkTables(rig, deviceId, eventId) !== `${target} ${intid}`)
        throw new Error(`DeviceID ${deviceId}, EventID ${eventId}: ${target} ${intid} is not in the tables`);
      deliveries++;
      setPending.call(rig.redistributors, target, intid);
      rig.redistributors.calls.length = 0;
    };
    const address = (): bigint => BigInt(below(8) === 0 ? word() : RAM_BASE + below(16) * 0x1_0000);
    const send = (name: CommandName, contents: Readonly<Record<string, number>>): void => {
      const offset = rig.read(0x88) & 0xffe0;
      command(name, contents).forEach((each, i) =>
        rig.ram.view.setUint32(QUEUE - RAM_BASE + offset + i * 4, each, true),
      );
      rig.model.dropCaches();
      rig.write(0x88, (offset + 32) & 0xffff);
    };
    const acts: (() => void)[] = [
      () => send('MAPD', { DeviceID: below(8), Size: below(12), ITT_addr: Number(address()), V: below(8) && 1 }),
      () => send('MAPC', { ICID: below(8), RDbase: below(5), V: below(8) && 1 }),
      () => send('MAPTI', { DeviceID: below(8), EventID: below(16), pINTID: 8192 + below(64), ICID: below(8) }),
      () => send('MAPTI', { DeviceID: below(8), EventID: below(16), pINTID: 8192 + below(64), ICID: below(8) }),
      () => send('MOVI', { DeviceID: below(8), EventID: below(16), ICID: below(8) }),
      () => send('INT', { DeviceID: below(8), EventID: below(16) }),
      () => send('DISCARD', { DeviceID: below(8), EventID: below(16) }),
      () => send('MOVALL', { RDbase1: below(5), RDbase2: below(5) }),
      () => send(NAMES[below(NAMES.length)], {}),
      () => {
        const at = below(RAM_BYTES / 8) * 8;
        rig.ram.view.setUint32(at, word(), true);
        rig.ram.view.setUint32(at + 4, word(), true);
        rig.model.dropCaches();
      },
      () => rig.frame.write(below(0x800) * 4, word(), ([1, 2, 4] as const)[below(3)], CPU),
      () => void rig.frame.read(below(0x2_0000), ([1, 2, 4] as const)[below(3)], CPU),
      () => {
        if (below(16) === 0) rig.write(0x88, below(0x2_0000));
      },
      () => {
        if (below(64) !== 0) return;
        rig.write(0, 0);
        rig.write64(0x100 + below(8) * 8, (BigInt(below(4)) << 62n) | address() | BigInt(below(0x400)));
      },
      () => {
        if (below(64) !== 0) return;
        rig.write(0, 0);
        rig.enable();
      },
      () => {
        if (below(64) !== 0) return;
        rig.write(0, 0);
        rig.write64(0x80, (1n << 63n) | address() | BigInt(below(16)));
        rig.write(0, 1);
      },
    ];
    const total = runs(20_000, 1_000_000);
    for (let step = 0; step < total; step++) {
      if (below(3) === 0) {
        current = [below(8), below(16)];
        rig.frame.write(0x1_0040, current[1], 4, device(current[0]));
        current = undefined;
      } else acts[below(acts.length)]();
    }
    expect(deliveries).toBeGreaterThan(total / 50);
    expect(rig.guestErrors.length).toBeGreaterThan(0);
  }, 600_000);
});
