// SPDX-License-Identifier: Apache-2.0
// What an SMMU's tables in memory say, read from outside driver and model. Offsets and bits are typed from IHI 0070, sections 5.1
// "Level 1 Stream Table Descriptor", 5.2 "STE", 5.4 "CD", and the VMSAv8-64 descriptor formats (DDI 0487, D8.3).

import type { Board } from '@irqkit/board';
import { physAddr } from '@irqkit/core';

const STRTAB_BASE = 0x80;
const STRTAB_BASE_CFG = 0x88;
const STE_BYTES = 64;

export interface Descriptor {
  readonly level: number;
  /** The first address it is for. */
  readonly iova: number;
  readonly value: bigint;
}

interface Geometry {
  readonly root: number;
  readonly granuleBits: number;
  readonly inputBits: number;
  readonly firstLevel: number;
}

export class SmmuTables {
  readonly #board: Board;
  readonly #smmu: number;

  /** `smmu`: the base of its registers. */
  constructor(board: Board, smmu: number) {
    this.#board = board;
    this.#smmu = smmu;
  }

  /** The doublewords of a stream's entry; undefined where a level 2 table is missing. */
  entry(sid: number): readonly bigint[] | undefined {
    const base = bits(this.#register(STRTAB_BASE), 51, 6) * 64;
    const config = this.#register(STRTAB_BASE_CFG);
    if (bits(config, 17, 16) === 0) return this.#load(base + sid * STE_BYTES, 8);
    const split = 2 ** bits(config, 10, 6);
    const [descriptor] = this.#load(base + Math.floor(sid / split) * 8, 1);
    if (bits(descriptor, 4, 0) === 0) return undefined;
    return this.#load(bits(descriptor, 51, 6) * 64 + (sid % split) * STE_BYTES, 8);
  }

  /** Every valid descriptor that a stream's translation can come to, in the order of a walk; none where it does not translate. */
  descriptors(sid: number): readonly Descriptor[] {
    const geometry = this.#geometry(sid);
    return geometry ? [...this.#below(geometry, geometry.root, geometry.firstLevel, 0)] : [];
  }

  /** Where an address of a stream is mapped to; undefined where it is not. */
  lookup(sid: number, iova: number): number | undefined {
    const geometry = this.#geometry(sid);
    if (!geometry || iova >= 2 ** geometry.inputBits) return undefined;
    let table = geometry.root;
    for (let level = geometry.firstLevel; level <= 3; level++) {
      const span = spanAt(geometry, level);
      const index = Math.floor((iova % tableSpan(geometry, level)) / span);
      const [value] = this.#load(table + index * 8, 1);
      if ((value & 1n) === 0n) return undefined;
      const address = bits(value, 47, geometry.granuleBits) * 2 ** geometry.granuleBits;
      if (level === 3 || (value & 2n) === 0n) return address - (address % span) + (iova % span);
      table = address;
    }
    return undefined;
  }

  *#below(geometry: Geometry, table: number, level: number, from: number): Iterable<Descriptor> {
    const span = spanAt(geometry, level);
    const values = this.#load(table, tableSpan(geometry, level) / span);
    for (const [index, value] of values.entries()) {
      if ((value & 1n) === 0n) continue;
      const iova = from + index * span;
      yield { level, iova, value };
      if (level === 3 || (value & 2n) === 0n) continue;
      yield* this.#below(geometry, bits(value, 47, geometry.granuleBits) * 2 ** geometry.granuleBits, level + 1, iova);
    }
  }

  #geometry(sid: number): Geometry | undefined {
    const ste = this.entry(sid);
    const config = ste === undefined || (ste[0] & 1n) === 0n ? 0 : bits(ste[0], 3, 1);
    if (config === 0b101) return this.#stage1(this.#load(bits(ste![0], 51, 6) * 64, 2));
    return config === 0b110 ? stage2(ste!) : undefined;
  }

  #stage1([first, second]: readonly bigint[]): Geometry | undefined {
    if (bits(first, 31, 31) === 0) return undefined;
    const granuleBits = [12, 16, 14][bits(first, 7, 6)];
    const inputBits = 64 - bits(first, 5, 0);
    const firstLevel = 4 - Math.ceil((inputBits - granuleBits) / (granuleBits - 3));
    return { root: bits(second, 51, 4) * 16, granuleBits, inputBits, firstLevel };
  }

  #register(offset: number): bigint {
    const [lo, hi] = [0, 4].map((at) => this.#board.access.read(physAddr(this.#smmu + offset + at), 4, 0));
    return BigInt(hi) * 2n ** 32n + BigInt(lo);
  }

  #load(at: number, nr: number): readonly bigint[] {
    const bytes = new Uint8Array(8 * nr);
    if (!this.#board.ram.load(physAddr(at), bytes)) throw new Error(`0x${at.toString(16)} is no RAM`);
    return [...new BigUint64Array(bytes.buffer)];
  }
}

function stage2(ste: readonly bigint[]): Geometry {
  const granuleBits = [12, 16, 14][bits(ste[2], 47, 46)];
  const start = bits(ste[2], 39, 38);
  return {
    root: bits(ste[3], 51, 4) * 16,
    granuleBits,
    inputBits: 64 - bits(ste[2], 37, 32),
    firstLevel: granuleBits === 12 ? 2 - start : 3 - start,
  };
}

/** Bytes that one descriptor of a level is for. */
function spanAt({ granuleBits }: Geometry, level: number): number {
  return 2 ** (granuleBits + (3 - level) * (granuleBits - 3));
}

/** Bytes that a whole table of a level is for. */
function tableSpan(geometry: Geometry, level: number): number {
  return level === geometry.firstLevel ? 2 ** geometry.inputBits : spanAt(geometry, level - 1);
}

function bits(value: bigint, high: number, low: number): number {
  return Number((value >> BigInt(low)) & (2n ** BigInt(high - low + 1) - 1n));
}
