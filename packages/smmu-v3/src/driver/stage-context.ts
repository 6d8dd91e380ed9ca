// SPDX-License-Identifier: Apache-2.0
// What a translating domain has in the SMMU beside its tables: an id that tags its translations, and at stage 1 a context
// descriptor. Stage 1 where there is one, as Linux 6.1 chooses.

import { LinuxError, DMA_PAGE_BYTES } from '@irqkit/core';
import type { PageTable, Stage1Registers, Stage2Registers } from '@irqkit/pgtable/build';
import { tlbiAsid, tlbiIpa, tlbiVa, tlbiVmall } from './command-words.js';
import { contextDescriptor } from './context-descriptor.js';
import type { SmmuParts } from './smmu-parts.js';
import { stage1Entry, stage2Entry } from './stream-entry.js';
import type { StreamEntry } from './stream-entry.js';

export interface StageContext {
  readonly entry: StreamEntry;
  /** `ASID 3`, for messages. */
  readonly name: string;
  /** Invalidates all translations of the id. */
  readonly tlbiAll: Uint32Array;
  /** Invalidates by address; the address is to be put. */
  readonly tlbiAddress: Uint32Array;
  /** Makes what `entry` leads to. @throws LinuxError ETIMEDOUT, EIO */
  prepare(): void;
  /** `keepId`: translations of it may be left, so that nobody else may have it. */
  release(keepId: boolean): void;
}

/** @throws LinuxError ENOSPC where all ids are taken, ENOMEM */
export function takeContext(parts: SmmuParts, table: PageTable): StageContext {
  const { registers } = table;
  return registers.stage === 1 ? takeStage1(parts, registers) : takeStage2(parts, registers);
}

/** @linux arm_smmu_domain_finalise_s1 */
function takeStage1({ unit, queue, asids }: SmmuParts, registers: Stage1Registers): StageContext {
  const { path, memory, features } = unit;
  const asid = asids.alloc();
  if (asid === 0) throw new LinuxError('ENOSPC', `${path}: all ASIDs are taken`);
  let buffer;
  try {
    buffer = memory.alloc(DMA_PAGE_BYTES, DMA_PAGE_BYTES, 'a context descriptor');
  } catch (error) {
    asids.free(asid);
    throw error;
  }
  const cd = contextDescriptor(asid, registers, features.stalls === 'always');
  const settle = (): void => {
    queue.begin();
    const failure = queue.sync();
    if (failure) throw failure;
  };
  return {
    entry: stage1Entry(buffer.base, features.stalls === 'possible'),
    name: `ASID ${asid}`,
    tlbiAll: tlbiAsid(asid),
    tlbiAddress: tlbiVa(asid),
    prepare() {
      buffer.words.set(cd.subarray(2), 2);
      settle();
      buffer.words.set(cd.subarray(0, 2));
      settle();
    },
    release(keepId) {
      memory.free(buffer);
      if (!keepId) asids.free(asid);
    },
  };
}

/** @linux arm_smmu_domain_finalise_s2 */
function takeStage2({ unit, vmids }: SmmuParts, registers: Stage2Registers): StageContext {
  const vmid = vmids.alloc();
  if (vmid === 0) throw new LinuxError('ENOSPC', `${unit.path}: all VMIDs are taken`);
  return {
    entry: stage2Entry(vmid, registers),
    name: `VMID ${vmid}`,
    tlbiAll: tlbiVmall(vmid),
    tlbiAddress: tlbiIpa(vmid),
    prepare: () => undefined,
    release(keepId) {
      if (!keepId) vmids.free(vmid);
    },
  };
}
