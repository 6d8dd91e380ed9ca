// SPDX-License-Identifier: Apache-2.0
// The driver of one SMMUv1 or SMMUv2: what Linux 6.1's arm-smmu does with it. IHI 0062.
// UNIMP: the legacy devicetree binding (mmu-masters)
// UNIMP: registers in Secure configuration access (calxeda,smmu-secure-config-access)

import { LinuxError, PROBE_CONTEXT, inject, injectable, OwnedMemory, isDmaCoherent } from '@irqkit/core';
import type { MmioRegion, ProbeContext } from '@irqkit/core';
import { TablePool, chooseGranule } from '@irqkit/pgtable/build';
import { ContextBanks } from './context-banks.js';
import { FaultReports } from './fault-reports.js';
import type { FaultListener } from './fault-reports.js';
import { SmmuInterrupts } from './interrupts.js';
import { iommuFault } from './iommu-fault.js';
import { Masters } from './masters.js';
import { disable, reset } from './reset.js';
import { firstSharedId } from './shared-ids.js';
import { readFeatures } from './smmu-features.js';
import type { SmmuFeatures } from './smmu-features.js';
import { SmmuOps } from './smmu-ops.js';
import type { SmmuUnit } from './smmu-unit.js';
import { StreamEntries } from './stream-entries.js';
import { Tlb } from './tlb.js';
import { variantOf } from './variants.js';

/** The first registers, with those that say how many there are. */
const ID_BYTES = 0x1000;

/** Properties of nodes that cannot be used without heeding them. */
const REFUSED = ['mmu-masters', 'calxeda,smmu-secure-config-access'];

/** What the stream match registers hold, as probed. */
export interface StreamMatchFacts {
  /** Bits of a StreamID and of a mask that they have. */
  readonly idBits: number;
  readonly maskBits: number;
  /** Entries in use, of how many there are. */
  readonly usage: readonly [used: number, all: number];
}

/**
 * Brings the SMMU up with every stream faulting, and offers it to the IOMMU framework.
 * @throws LinuxError EPROBE_DEFER before its interrupt controllers are there, EOPNOTSUPP for a variant that is not supported,
 * ENODEV or ENXIO for an SMMU or a node that the driver cannot use, EINVAL for too few registers, ETIMEDOUT where it does not follow
 */
@injectable()
export class SmmuV2Driver {
  readonly features: SmmuFeatures;
  readonly #streams: StreamEntries;
  readonly #faults: FaultReports;

  constructor(@inject(PROBE_CONTEXT) context: ProbeContext) {
    const { node, devres, iommus } = context;
    const interrupts = new SmmuInterrupts(context);
    const unit = takeUnit(context);
    this.features = unit.features;
    interrupts.check(unit.features);
    const tlb = new Tlb(unit);
    const guard = { armed: false };
    devres.add(() => letGo(unit, tlb, guard.armed));
    const streams = (this.#streams = new StreamEntries(unit));
    const firstId = unit.variant.sharesIds ? firstSharedId(iommus, unit.features.nrContextBanks) : 0;
    const banks = new ContextBanks(unit, tlb, interrupts.nrContexts, firstId);
    const masters = new Masters(node, streams);
    const faults = (this.#faults = new FaultReports(unit, masters));
    faults.add((fault) => iommus.reportFault(iommuFault(node, fault)));
    const tables = tablePool(unit);
    interrupts.requestGlobal(() => faults.serveGlobal());
    guard.armed = true;
    reset(unit, streams, banks, tlb);
    streams.probeMasks();
    const ops = new SmmuOps({ unit, tlb, masters, banks, interrupts, faults, tables });
    devres.add(iommus.register(node, ops));
  }

  get streamMatches(): StreamMatchFacts {
    const { idBits, maskBits, usage } = this.#streams;
    return { idBits, maskBits, usage };
  }

  /** Calls back for every fault, until the returned removal is called. @linux iommu_set_fault_handler */
  onFault(listener: FaultListener): () => void {
    return this.#faults.add(listener);
  }
}

function takeUnit(context: ProbeContext): SmmuUnit {
  const { node, bus, log } = context;
  const { path } = node;
  const variant = variantOf(node);
  for (const property of REFUSED)
    if (node.has(property)) throw new LinuxError('EOPNOTSUPP', `${path}: ${property} is not supported`);
  checkSize(path, node.reg(0).sizeBytes, ID_BYTES);
  const registers = context.ioremap(0);
  const features = readFeatures(path, registers, variant);
  checkLayout(path, registers, features);
  const coherent = isDmaCoherent(node);
  if (features.coherentWalk !== coherent)
    log.warn(`${path}: IDR0.CTTW is overridden by firmware: ${coherent ? 'coherent' : 'not coherent'}`);
  return { path, registers, memory: new OwnedMemory(path, bus.memory), variant, features, coherent, log };
}

function checkSize(path: string, sizeBytes: number, wanted: number): void {
  if (sizeBytes < wanted) throw new LinuxError('EINVAL', `${path}: ${sizeBytes} bytes of registers, ${wanted} wanted`);
}

/** CHOICE: Linux warns of a layout that `reg` does not cover, and goes on. */
function checkLayout(path: string, { sizeBytes }: MmioRegion, { layout, nrContextBanks }: SmmuFeatures): void {
  checkSize(path, sizeBytes, layout.contextBanks + nrContextBanks * layout.pageBytes);
}

/** @throws LinuxError EINVAL for an SMMU without a translation granule */
function tablePool({ path, memory, features }: SmmuUnit): TablePool {
  const tableBytes = chooseGranule(path, features.granules);
  const [, oasBits] = features.stage1 ? features.stage1Bits : features.stage2Bits;
  // A table must be where the stage's own output addresses reach, and those of tables have 48 bits.
  return new TablePool({ path, memory, tableBytes, addressBits: Math.min(oasBits, features.oasBits, 48) });
}

/** CHOICE: an SMMU that does not synchronize keeps its memory: it may still read it. */
function letGo(unit: SmmuUnit, tlb: Tlb, armed: boolean): void {
  const { memory, log } = unit;
  if (armed) {
    disable(unit);
    const failure = tlb.syncAll();
    if (failure) return log.warn(`${failure.message}: ${memory.sizeBytes} bytes stay allocated`);
  }
  memory.freeAll();
}
