// SPDX-License-Identifier: Apache-2.0
// Bringing an SMMU up, from whatever state. The order: Linux 6.1 arm_smmu_device_reset, arm_mmu500_reset.

import { ACR, ACTLR, CR0, GFSR, TLBIALLH, TLBIALLNSNH } from '../regs.js';
import type { ContextBanks } from './context-banks.js';
import { bankOffset } from './smmu-unit.js';
import type { SmmuUnit } from './smmu-unit.js';
import type { StreamEntries } from './stream-entries.js';
import type { Tlb } from './tlb.js';

/** Of the MMU-500: from here on ACR locks the context banks' ACTLRs. */
const MMU500_R2 = 2;

/**
 * Every stream faults after it.
 * @throws LinuxError ETIMEDOUT where the TLBs do not synchronize: Linux goes on then
 */
export function reset(unit: SmmuUnit, streams: StreamEntries, banks: ContextBanks, tlb: Tlb): void {
  const { registers, variant } = unit;
  registers.write(GFSR.offset, registers.read(GFSR.offset, 4), 4);
  streams.reset();
  banks.reset();
  registers.write(TLBIALLH.offset, 0, 4);
  registers.write(TLBIALLNSNH.offset, 0, 4);
  const cr0 = enabled(unit, registers.read(CR0.offset, 4));
  if (variant.mmu500) resetMmu500(unit);
  const failure = tlb.syncAll();
  if (failure) throw failure;
  registers.write(CR0.offset, cr0, 4);
}

/** Streams bypass it, as after a reset. @linux arm_smmu_device_shutdown */
export function disable({ registers }: SmmuUnit): void {
  registers.write(CR0.offset, CR0.CLIENTPD.set(0, 1), 4);
}

/** Faults are reported, and streams that nothing matches fault. TLB maintenance of the processors does not reach it. */
function enabled({ features }: SmmuUnit, before: number): number {
  let value = before;
  for (const field of [CR0.GFRE, CR0.GFIE, CR0.GCFGFRE, CR0.GCFGFIE]) value = field.set(value, 1);
  value = CR0.PTM.set(CR0.VMIDPNE.set(value, 1), 1);
  value = CR0.USFCFG.set(CR0.CLIENTPD.set(value, 0), 1);
  value = CR0.BSU.set(CR0.FB.set(value, 0), 0);
  if (features.vmid16) value = CR0.VMID16EN.set(value, 1);
  if (features.extendedStreamIds) value = CR0.EXIDENABLE.set(value, 1);
  return value;
}

/** Remembers what does not match, and does not prefetch: that is broken (errata 841119 and 826419). */
function resetMmu500(unit: SmmuUnit): void {
  const { path, registers, features, log } = unit;
  let acr = registers.read(ACR.offset, 4);
  if (features.majorRevision >= MMU500_R2) acr = ACR.CACHE_LOCK.set(acr, 0);
  acr = ACR.S2CRB_TLBEN.set(ACR.SMTNMB_TLBEN.set(acr, 1), 1);
  registers.write(ACR.offset, acr, 4);
  for (let bank = 0; bank < features.nrContextBanks; bank++) {
    const at = bankOffset(unit, bank) + ACTLR.offset;
    registers.write(at, ACTLR.CPRE.set(registers.read(at, 4), 0), 4);
    if (ACTLR.CPRE(registers.read(at, 4)) === 1) log.warn(`${path}: context bank ${bank} does not stop prefetching`);
  }
}
