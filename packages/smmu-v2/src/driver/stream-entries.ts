// SPDX-License-Identifier: Apache-2.0
// SMRs and S2CRs: which streams there are, and where they go. IHI 0062, SMMU_SMRn and SMMU_S2CRn; sharing, the probing of the
// bits that are there and their order: the behaviour of Linux 6.1.

import { hex } from '@irqkit/bits';
import { LinuxError } from '@irqkit/core';
import type { Device } from '@irqkit/core';
import { S2CR, S2CR_PRIVCFG, S2CR_TYPE, SMR, SMR_EXTENDED } from '../regs.js';
import type { SmmuUnit } from './smmu-unit.js';
import { contains, findEntry } from './stream-match.js';
import type { StreamMatch } from './stream-match.js';

/** Where streams go. @linux struct arm_smmu_s2cr */
export interface StreamTarget {
  readonly type: (typeof S2CR_TYPE)[keyof typeof S2CR_TYPE];
  /** 0 where `type` is not TRANSLATE. */
  readonly bank: number;
}

/** CHOICE: Linux's default, disable_bypass. */
export const FAULT: StreamTarget = { type: S2CR_TYPE.FAULT, bank: 0 };
export const BYPASS: StreamTarget = { type: S2CR_TYPE.BYPASS, bank: 0 };

interface Entry extends StreamMatch {
  /** In the order in which they came. */
  readonly users: Set<Device>;
  target: StreamTarget;
}

export class StreamEntries {
  readonly #unit: SmmuUnit;
  readonly #entries: (Entry | undefined)[];
  /** Bits that a StreamID and the mask of an SMR have. */
  #idBits: number;
  #maskBits = 0;

  constructor(unit: SmmuUnit) {
    this.#unit = unit;
    this.#entries = Array<undefined>(unit.features.nrStreamEntries).fill(undefined);
    this.#idBits = 2 ** unit.features.streamIdBits - 1;
  }

  /** Writes every entry. @linux arm_smmu_write_sme */
  reset(): void {
    for (let index = 0; index < this.#entries.length; index++) this.#write(index);
  }

  /** Finds out which bits the SMRs have, with one that is free. @linux arm_smmu_test_smr_masks */
  probeMasks(): void {
    if (!this.#unit.features.streamMatching) return;
    const free = this.#entries.indexOf(undefined);
    if (free < 0) return;
    const { registers } = this.#unit;
    const at = SMR.offset + 4 * free;
    registers.write(at, this.#fields.ID.set(0, this.#idBits), 4);
    this.#idBits = this.#fields.ID(registers.read(at, 4));
    registers.write(at, this.#fields.MASK.set(0, this.#idBits), 4);
    this.#maskBits = this.#fields.MASK(registers.read(at, 4));
  }

  get idBits(): number {
    return this.#idBits;
  }

  get maskBits(): number {
    return this.#maskBits;
  }

  /** How many are in use, of how many there are. */
  get usage(): readonly [used: number, all: number] {
    return [this.#entries.filter((entry) => entry).length, this.#entries.length];
  }

  /**
   * Takes an entry for each of a device's streams, or none. Those that are new fault.
   * @returns their indexes, each once
   * @throws LinuxError ERANGE for a StreamID that the SMMU does not have, EINVAL for a mask that it does not have or a stream that
   * overlaps another, ENOSPC where no entry is free @linux arm_smmu_master_alloc_smes
   */
  take(device: Device, streams: readonly StreamMatch[]): readonly number[] {
    for (const stream of streams) this.#check(device, stream);
    const made: number[] = [];
    const indexes = new Set<number>();
    try {
      for (const stream of streams) {
        const index = this.#find(device, stream);
        if (!this.#entries[index]) {
          this.#entries[index] = { ...stream, users: new Set(), target: FAULT };
          made.push(index);
        }
        indexes.add(index);
      }
    } catch (error) {
      for (const index of made) this.#entries[index] = undefined;
      throw error;
    }
    for (const index of indexes) this.#entries[index]?.users.add(device);
    for (const index of made) this.#write(index);
    return [...indexes];
  }

  /** Those that nobody else uses fault from here on, and are free. @linux arm_smmu_master_free_smes */
  release(device: Device, indexes: readonly number[]): void {
    for (const index of indexes) {
      const entry = this.#entries[index];
      entry?.users.delete(device);
      if (!entry || entry.users.size > 0) continue;
      this.#entries[index] = undefined;
      this.#write(index);
    }
  }

  /** Leads entries to `target`; those that are there already are not written. @linux arm_smmu_domain_add_master */
  lead(indexes: readonly number[], target: StreamTarget): void {
    for (const index of indexes) {
      const entry = this.#entries[index];
      if (!entry || (entry.target.type === target.type && entry.target.bank === target.bank)) continue;
      entry.target = target;
      this.#writeTarget(index);
    }
  }

  /** Devices that share one of these entries with `device`. */
  sharers(device: Device, indexes: readonly number[]): readonly Device[] {
    return indexes.flatMap((index) => [...(this.#entries[index]?.users ?? [])].filter((user) => user !== device));
  }

  /** The devices whose entry a StreamID goes through. */
  usersOf(id: number): readonly Device[] {
    const found = this.#entries.find((entry) => entry && contains(entry, { id, mask: 0 }));
    return [...(found?.users ?? [])];
  }

  get #fields(): Pick<typeof SMR, 'ID' | 'MASK'> {
    return this.#unit.features.extendedStreamIds ? SMR_EXTENDED : SMR;
  }

  #check(device: Device, { id, mask }: StreamMatch): void {
    const { path } = this.#unit;
    if ((id & ~this.#idBits) !== 0)
      throw new LinuxError('ERANGE', `${path}: StreamID ${hex(id)} of ${device.name} is beyond ${hex(this.#idBits)}`);
    if ((mask & ~this.#maskBits) !== 0)
      throw new LinuxError('EINVAL', `${path}: mask ${hex(mask)} of ${device.name} is beyond ${hex(this.#maskBits)}`);
  }

  #find(device: Device, stream: StreamMatch): number {
    // Without matching there is one entry for each StreamID.
    if (!this.#unit.features.streamMatching) return stream.id;
    const found = findEntry(this.#entries, stream);
    if (typeof found === 'number') return found;
    const what = `StreamID ${hex(stream.id)} mask ${hex(stream.mask)} of ${device.name}`;
    const { path } = this.#unit;
    if (found === 'ENOSPC') throw new LinuxError(found, `${path}: no stream match register left for ${what}`);
    throw new LinuxError(found, `${path}: ${what} overlaps another stream in part`);
  }

  /**
   * What makes the entry match comes last, and goes first: SMR.VALID, with extended StreamIDs S2CR.EXIDVALID.
   * CHOICE: Linux writes the S2CR first in any case, so that an extended entry matches by a former SMR for a moment.
   */
  #write(index: number): void {
    const { streamMatching, extendedStreamIds } = this.#unit.features;
    const matchFirst = extendedStreamIds && this.#entries[index] !== undefined;
    if (streamMatching && matchFirst) this.#writeMatch(index);
    this.#writeTarget(index);
    if (streamMatching && !matchFirst) this.#writeMatch(index);
  }

  #writeMatch(index: number): void {
    const { ID, MASK } = this.#fields;
    const entry = this.#entries[index];
    let value = entry ? MASK.set(ID.set(0, entry.id), entry.mask) : 0;
    if (entry && !this.#unit.features.extendedStreamIds) value = SMR.VALID.set(value, 1);
    this.#unit.registers.write(SMR.offset + 4 * index, value, 4);
  }

  #writeTarget(index: number): void {
    const entry = this.#entries[index];
    const { type, bank } = entry?.target ?? FAULT;
    let value = S2CR.CBNDX.set(S2CR.TYPE.set(0, type), bank);
    value = S2CR.PRIVCFG.set(value, S2CR_PRIVCFG.DEFAULT);
    if (entry && this.#unit.features.extendedStreamIds) value = S2CR.EXIDVALID.set(value, 1);
    this.#unit.registers.write(S2CR.offset + 4 * index, value, 4);
  }
}
