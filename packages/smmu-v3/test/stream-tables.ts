// SPDX-License-Identifier: Apache-2.0
// Tables for tests, put together by hand: doublewords as Arm IHI 0070, 5.1 to 5.4, and Arm DDI 0487, chapter D8, print them.

import type { SmmuRig } from './smmu-rig.js';

export const STRTAB = 0x4000_0000;
export const CDTAB = 0x4001_0000;
/** Stage 1 tables of 4 KiB from here, one a level; so are those of stage 2. */
export const TABLES1 = 0x4100_0000;
export const TABLES2 = 0x4200_0000;

/** A stream table entry: V, Config, S1ContextPtr, S1CDMax, S1Fmt; S1DSS; VMID and stage 2 of 40 bits from level 1, S2R. */
export interface SteOptions {
  readonly config: number;
  readonly cdPtr?: number;
  readonly cdMax?: number;
  readonly fmt?: number;
  readonly dss?: number;
  readonly vmid?: number;
  /** Above doubleword 1: PRIVCFG at bit 48, INSTCFG at bit 50, STRW at bit 30. */
  readonly dword1?: bigint;
  readonly s2ttb?: number;
  /** Above doubleword 2: S2R (58) is set already. */
  readonly dword2?: bigint;
  readonly v?: number;
}

export function ste(options: SteOptions): bigint[] {
  const { config, cdPtr = CDTAB, cdMax = 0, fmt = 0, dss = 0, vmid = 0, dword1 = 0n, s2ttb = TABLES2, v = 1 } = options;
  const s2 = (1n << 58n) | (1n << 51n) | (4n << 48n) | (1n << 38n) | (24n << 32n);
  return [
    BigInt(v) | (BigInt(config) << 1n) | (BigInt(fmt) << 4n) | BigInt(cdPtr) | (BigInt(cdMax) << 59n),
    BigInt(dss) | dword1,
    BigInt(vmid) | s2 | (options.dword2 ?? 0n),
    BigInt(s2ttb),
    0n,
    0n,
    0n,
    0n,
  ];
}

/** A context descriptor of 48 bits from TTB0, granule of 4 KiB: T0SZ 16, EPD1, V, IPS of 44 bits, AA64, R, A. */
export function cd({ ttb = TABLES1, asid = 1, flags = 0n, high = 0n }: CdOptions = {}): bigint[] {
  const low = 16n | (1n << 30n) | (1n << 31n) | (4n << 32n) | (1n << 41n) | (1n << 45n) | (1n << 46n);
  return [(low ^ flags) | (BigInt(asid) << 48n), BigInt(ttb), high, 0n, 0n, 0n, 0n, 0n];
}

export interface CdOptions {
  readonly ttb?: number;
  readonly asid?: number;
  /** Bits of doubleword 0 that are turned over. */
  readonly flags?: bigint;
  /** Doubleword 2: TTB1. */
  readonly high?: bigint;
}

export function put(rig: SmmuRig, at: number, dwords: readonly bigint[]): void {
  dwords.forEach((dword, i) => rig.ram.write64(at + i * 8, dword));
}

/** AF, SH of inner, AP of read and write for all, nG. */
export const RW_PAGE = 0xf43n;
/** As RW_PAGE, read-only. */
export const RO_PAGE = 0xfc3n;
/** Stage 2: AF, SH, S2AP of both, MemAttr of normal memory. */
export const S2_PAGE = 0x7ffn;

/**
 * Maps the 4 KiB page of `va` by the tables at `root`: four levels in the pages that follow it. `base` is added to where tables point: their IPA.
 */
export function map(rig: SmmuRig, root: number, va: bigint, pa: number, attributes = RW_PAGE, base = 0): void {
  let table = root;
  for (let level = 0; level < 3; level++) {
    const at = table + Number((va >> BigInt(39 - level * 9)) & 511n) * 8;
    const known = rig.ram.read64(at);
    if (known === 0n) {
      const next = root + 0x1000 * takeTable(rig, root);
      rig.ram.write64(at, BigInt(next + base) | 3n);
      table = next;
    } else table = Number(known & 0xffff_ffff_f000n) - base;
  }
  rig.ram.write64(table + Number((va >> 12n) & 511n) * 8, BigInt(pa) | attributes);
}

/** One GiB of stage 2, which starts at level 1. */
export function mapStage2Block(rig: SmmuRig, ipa: number, pa: number): void {
  rig.ram.write64(TABLES2 + Math.floor(ipa / 2 ** 30) * 8, BigInt(pa) | 0x7fdn);
}

/** How many tables follow a root, of each rig. */
const nrTables = new WeakMap<SmmuRig, Map<number, number>>();

function takeTable(rig: SmmuRig, root: number): number {
  const ofRig = nrTables.get(rig) ?? new Map<number, number>();
  nrTables.set(rig, ofRig);
  const nr = (ofRig.get(root) ?? 0) + 1;
  ofRig.set(root, nr);
  return nr;
}
