// SPDX-License-Identifier: Apache-2.0
// What an ITS's tables in memory say of an event, read bit by bit: the truth that no delivery may go beyond.
import { RAM_BASE, RAM_BYTES } from './its-rig.js';
import type { ItsRig, ToyRam } from './its-rig.js';

const bits = (value: bigint, hi: number, lo: number): number =>
  Number((value >> BigInt(lo)) & ((1n << BigInt(hi - lo + 1)) - 1n));

const valid = (value: bigint): boolean => value >> 63n === 1n;

/** A doubleword, undefined outside memory. */
function load(ram: ToyRam, address: number): bigint | undefined {
  return address >= RAM_BASE && address + 8 <= RAM_BASE + RAM_BYTES ? ram.read64(address) : undefined;
}

interface Table {
  readonly entries: number;
  addressOf(index: number): number | undefined;
}

/** The table of 8-byte entries that GITS_BASER<n> describes. */
function tableOf(rig: ItsRig, baser: bigint): Table {
  if (!valid(baser)) return { entries: 0, addressOf: () => undefined };
  const pageBytes = [0x1000, 0x4000, 0x1_0000, 0x1_0000][bits(baser, 9, 8)];
  const field = (baser >> 12n) & 0xf_ffff_ffffn;
  const base =
    pageBytes === 0x1_0000
      ? Number((((baser >> 12n) & 0xfn) << 48n) | (((baser >> 16n) << 16n) & 0xffff_ffff_0000n))
      : Number((field << 12n) - ((field << 12n) % BigInt(pageBytes)));
  const words = ((bits(baser, 7, 0) + 1) * pageBytes) / 8;
  const perPage = pageBytes / 8;
  if (bits(baser, 62, 62) === 0) return { entries: words, addressOf: (index) => base + index * 8 };
  return {
    entries: words * perPage,
    addressOf: (index) => {
      const level1 = load(rig.ram, base + Math.floor(index / perPage) * 8);
      if (level1 === undefined || !valid(level1)) return undefined;
      return bits(level1, 51, 12) * 0x1000 + (index % perPage) * 8;
    },
  };
}

function entryOf(rig: ItsRig, table: Table, index: number): bigint | undefined {
  const address = index < table.entries ? table.addressOf(index) : undefined;
  const entry = address === undefined ? undefined : load(rig.ram, address);
  return entry !== undefined && valid(entry) ? entry : undefined;
}

/** RDbase of a collection in the list, by its first entry. */
function rdbaseOf(rig: ItsRig, icid: number): number | undefined {
  const table = tableOf(rig, rig.read64(0x108));
  const seen = new Set<number>();
  for (let slot = 0; slot < table.entries; slot++) {
    const entry = entryOf(rig, table, slot);
    if (entry === undefined || seen.has(bits(entry, 15, 0))) return undefined;
    if (bits(entry, 15, 0) === icid) return icid < table.entries ? bits(entry, 51, 16) : undefined;
    seen.add(bits(entry, 15, 0));
  }
  return undefined;
}

/** `<processor> <LPI>` of an event by tables of KVM revision 0; undefined where they hold none. */
export function walkTables(rig: ItsRig, deviceId: number, eventId: number): string | undefined {
  const dte = deviceId < 0x1_0000 ? entryOf(rig, tableOf(rig, rig.read64(0x100)), deviceId) : undefined;
  if (dte === undefined || eventId >= Math.min(2 ** (bits(dte, 4, 0) + 1), 0x1_0000)) return undefined;
  const ite = load(rig.ram, bits(dte, 48, 5) * 256 + eventId * 8);
  const lpi = ite === undefined ? 0 : bits(ite, 47, 16);
  const rdbase = ite === undefined || lpi < 8192 ? undefined : rdbaseOf(rig, bits(ite, 15, 0));
  return rdbase === undefined ? undefined : `${rdbase} ${lpi}`;
}
