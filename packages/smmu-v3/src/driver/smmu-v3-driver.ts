// SPDX-License-Identifier: Apache-2.0
// The driver of one SMMUv3: what Linux 6.1's arm-smmu-v3 does with it. IHI 0070.
// UNIMP: streams that firmware keeps in use (IORT RMR)

import { LinuxError, PROBE_CONTEXT, inject, injectable, OwnedMemory, isDmaCoherent } from '@irqkit/core';
import type { ProbeContext } from '@irqkit/core';
import { TablePool, chooseGranule } from '@irqkit/pgtable/build';
import { PAGE_1, SMMU_FRAME_BYTES } from '../regs.js';
import { CommandQueue } from './command-queue.js';
import { writeIrqCtrl } from './control.js';
import { EventQueue } from './event-queue.js';
import { FaultReports } from './fault-reports.js';
import { iommuFault } from './iommu-fault.js';
import type { FaultListener } from './fault-reports.js';
import { serveGlobalErrors } from './global-errors.js';
import { IdSpace } from './id-space.js';
import { SmmuInterrupts } from './interrupts.js';
import { Masters } from './masters.js';
import { nodeQuirks } from './quirks.js';
import { disable, reset } from './reset.js';
import { readFeatures } from './smmu-features.js';
import type { SmmuFeatures } from './smmu-features.js';
import { SmmuOps } from './smmu-ops.js';
import type { SmmuUnit } from './smmu-unit.js';
import { StreamTable } from './stream-table.js';

/**
 * Brings the SMMU up with every stream aborting, and offers it to the IOMMU framework.
 * @throws LinuxError EPROBE_DEFER before its interrupt controllers are there, EINVAL for too few registers, ENXIO for an SMMU
 * that the driver cannot use, ETIMEDOUT or EIO where it does not follow, ENOMEM
 */
@injectable()
export class SmmuV3Driver {
  readonly features: SmmuFeatures;
  readonly #reports: FaultReports;

  constructor(@inject(PROBE_CONTEXT) context: ProbeContext) {
    const { node, devres, iommus } = context;
    const { unit, guard } = takeUnit(context);
    this.features = unit.features;
    const interrupts = new SmmuInterrupts(context, unit.features);
    const tables = tablePool(unit);
    const queue = new CommandQueue(unit);
    const events = new EventQueue(unit);
    const streams = new StreamTable(unit);
    const masters = new Masters(unit, queue, streams);
    this.#reports = new FaultReports(unit, queue, events, masters);
    this.#reports.add((fault) => iommus.reportFault(iommuFault(node, fault)));
    queue.serveErrors = () =>
      serveGlobalErrors(unit, { skipRefused: () => queue.skipRefused(), disable: () => disableFailed(unit) });

    guard.armed = true;
    reset(unit, {
      queue,
      events,
      streams,
      setUpInterrupts: () =>
        interrupts.request(unit.registers, { errors: queue.serveErrors, events: () => this.#reports.serve() }),
    });
    const ops = new SmmuOps({
      unit,
      queue,
      masters,
      asids: new IdSpace(unit.features.asidBits),
      vmids: new IdSpace(unit.features.vmidBits),
      tables,
    });
    devres.add(iommus.register(node, ops));
  }

  /** Calls back for every event record, until the returned removal is called. @linux iommu_register_device_fault_handler */
  onFault(listener: FaultListener): () => void {
    return this.#reports.add(listener);
  }
}

/** Until it is armed, the SMMU was not touched and holds none of the memory. */
interface Guard {
  armed: boolean;
}

function takeUnit(context: ProbeContext): { readonly unit: SmmuUnit; readonly guard: Guard } {
  const { node, bus, devres, log } = context;
  const { path } = node;
  const { skipPrefetch, page0RegistersOnly } = nodeQuirks(node);
  const wanted = page0RegistersOnly ? PAGE_1 : SMMU_FRAME_BYTES;
  if (node.reg(0).sizeBytes < wanted)
    throw new LinuxError('EINVAL', `${path}: ${node.reg(0).sizeBytes} bytes of registers are too few`);
  const registers = context.ioremap(0);
  const features = readFeatures(path, registers);
  const coherent = isDmaCoherent(node);
  if (features.coherentAccess !== coherent)
    log.warn(`${path}: IDR0.COHACC is overridden by firmware: ${coherent ? 'coherent' : 'not coherent'}`);
  const memory = new OwnedMemory(path, bus.memory);
  const page1Shift = page0RegistersOnly ? -PAGE_1 : 0;
  const unit = { path, registers, page1Shift, memory, features, coherent, skipPrefetch, log };
  const guard = { armed: false };
  devres.add(() => letGo(unit, guard));
  return { unit, guard };
}

/** @throws LinuxError EINVAL for an SMMU without a translation granule */
function tablePool({ path, memory, features }: SmmuUnit): TablePool {
  const tableBytes = chooseGranule(path, features.granules);
  // Descriptors of smaller granules have no bits above 48.
  const addressBits = tableBytes === 0x1_0000 ? features.oasBits : Math.min(features.oasBits, 48);
  return new TablePool({ path, memory, tableBytes, addressBits });
}

/** CHOICE: an SMMU that does not let itself be disabled keeps its memory: it may still use it. */
function letGo(unit: SmmuUnit, { armed }: Guard): void {
  const { path, registers, memory, log } = unit;
  try {
    if (armed) {
      disable(unit);
      writeIrqCtrl(path, registers, 0, 'disabling interrupts');
    }
  } catch (error) {
    if (!LinuxError.is(error)) throw error;
    log.warn(`${error.message}: ${memory.sizeBytes} bytes stay allocated`);
    return;
  }
  memory.freeAll();
}

/** After a service failure. */
function disableFailed(unit: SmmuUnit): void {
  try {
    disable(unit);
  } catch (error) {
    if (!LinuxError.is(error)) throw error;
    unit.log.warn(error.message);
  }
}
